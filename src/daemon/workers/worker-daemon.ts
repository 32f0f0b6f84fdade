/** A worker's part of the daemon: its relay, and its listener on the port that all workers share. */

import type { KnownNames } from '../../http/pages/bootstrap-names.ts'
import { threadsClock } from '../../lib/node-clock.ts'
import { AcceptLimits } from '../../listen/accept-limits.ts'
import { createHttpListener, type HttpListener } from '../../listen/node/http-listener.ts'
import { createHttpsListener } from '../../listen/node/https-listener.ts'
import { SharedTally } from '../../listen/shared-tally.ts'
import type { Relay, RelayOptions } from '../../relay.ts'
import { RelayTls } from '../../tls/relay-tls.ts'
import { DebugKey } from '../debug-key.ts'
import { type IdleCollection, idleCollection } from '../idle-collection.ts'
import { listenerOptions } from '../listener-options.ts'
import { createLog, type LevelledLog } from '../log.ts'
import { relayOptions } from '../relay-options.ts'
import type { NamesState, WorkerCalls, WorkerData } from './worker-calls.ts'
import { workerKeys } from './worker-settings.ts'

/** Names that the main thread resolves. */
class ToldNames implements KnownNames {
  known: KnownNames['known']

  constructor(known: KnownNames['known']) {
    this.known = known
  }
}

export class WorkerDaemon {
  readonly relay: Relay
  readonly limits: AcceptLimits
  readonly #data: WorkerData
  readonly #log: LevelledLog
  readonly #names: { readonly published: ToldNames; readonly unpublished: ToldNames }
  readonly #tls: RelayTls | undefined
  readonly #listener: HttpListener
  readonly #idle: IdleCollection
  readonly #debugKey: DebugKey

  /**
   * Binds nothing yet.
   *
   * @param createRelay makes this thread's part of the relay.
   */
  constructor(data: WorkerData, createRelay: (options: RelayOptions) => Relay) {
    const { settings, logLevel, tally, thread, tls, names } = data
    this.#data = data
    this.#log = createLog(logLevel, { thread })
    const { limits } = settings.listen
    const clock = threadsClock
    const log = this.#log
    const shared = new SharedTally(tally, thread, limits.sourceRate)
    this.limits = new AcceptLimits(limits, clock, log, shared)
    this.#names = { published: new ToldNames(names.published), unpublished: new ToldNames(names.unpublished) }
    this.#debugKey = new DebugKey(settings.debug.keyPath, clock)
    this.relay = createRelay({
      ...relayOptions(settings, { ...workerKeys(settings), debugKey: this.#debugKey }),
      log,
      clock,
      bootstrapDns: this.#names,
      waitingCount: shared,
    })
    this.#idle = idleCollection(this.relay.core.counters)
    const options = { ...listenerOptions(settings.listen, { relay: this.relay, log, limits: this.limits }), clock }
    this.#tls = tls && RelayTls.ofState(tls)
    this.#listener =
      this.#tls === undefined
        ? createHttpListener(options)
        : createHttpsListener({ ...options, log, tls: this.#tls, counters: this.relay.http })
  }

  /** What the main thread can ask of it. */
  get calls(): WorkerCalls {
    return {
      applyTls: update => this.#tls?.apply(update),
      showNames: names => this.#showNames(names),
      setLogLevel: level => {
        this.#log.level = level
      },
    }
  }

  /** Binds the address of the settings at `port`, together with other workers; 0 chooses one. Resolves to the port. */
  async listen(port: number): Promise<number> {
    this.#idle.start()
    await this.#debugKey.start()
    const { host } = this.#data.settings.listen.address
    return (await this.#listener.listen(port, host, { reusePort: true })).port
  }

  /** Takes no more connections; those there are stay. */
  stopListening(): void {
    this.#listener.stopListening()
  }

  async close(): Promise<void> {
    this.#idle.stop()
    this.#debugKey.close()
    this.relay.close()
    await this.#listener.close()
  }

  #showNames({ published, unpublished }: NamesState): void {
    this.#names.published.known = published
    this.#names.unpublished.known = unpublished
  }
}
