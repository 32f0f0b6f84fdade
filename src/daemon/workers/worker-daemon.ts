/** The daemon's part on a worker thread: a relay, and a listener on the port that all workers share. */

import type { KnownNames } from '../../http/pages/bootstrap-names.ts'
import { threadsClock } from '../../lib/node-clock.ts'
import { AcceptLimits } from '../../listen/accept-limits.ts'
import { createHttpListener, type HttpListener } from '../../listen/node/http-listener.ts'
import { createHttpsListener } from '../../listen/node/https-listener.ts'
import { SharedShareLedger } from '../../listen/shared-share-ledger.ts'
import { SharedTally } from '../../listen/shared-tally.ts'
import type { Relay, RelayOptions } from '../../relay.ts'
import { RelayTls } from '../../tls/relay-tls.ts'
import { DebugSecrets } from '../debug/debug-secrets.ts'
import { type IdleCollection, idleCollection } from '../idle-collection.ts'
import { listenerOptions } from '../listener-options.ts'
import type { LineSink } from '../log/line-buffer.ts'
import { createLog, type DaemonLog, FLUSH_LIMIT_MS } from '../log/log.ts'
import { memoryRoom } from '../memory-room.ts'
import { relayOptions } from '../relay-options.ts'
import type { NamesState, WorkerCalls, WorkerData } from './worker-calls.ts'
import { workerKeys } from './worker-settings.ts'

/** Names resolved by the main thread. */
class ReplicatedNames implements KnownNames {
  known: KnownNames['known']

  constructor(known: KnownNames['known']) {
    this.known = known
  }
}

export class WorkerDaemon {
  readonly relay: Relay
  readonly limits: AcceptLimits
  readonly log: DaemonLog
  readonly #data: WorkerData
  readonly #names: { readonly published: ReplicatedNames; readonly unpublished: ReplicatedNames }
  readonly #tls: RelayTls | undefined
  readonly #listener: HttpListener
  readonly #idle: IdleCollection
  readonly #secrets: DebugSecrets

  /**
   * Binds nothing.
   *
   * @param logSink writes this thread's log lines.
   * @param createRelay creates this thread's relay.
   */
  constructor(data: WorkerData, logSink: LineSink, createRelay: (options: RelayOptions) => Relay) {
    const { settings, logLevel, logFormat, tally, thread, tls, names } = data
    const { limits } = settings.listen
    const clock = threadsClock
    const log = createLog({ level: logLevel, format: logFormat, clock, sink: logSink, common: { thread } })
    this.#data = data
    this.log = log
    const shared = new SharedTally(tally, thread, limits.sourceRate)
    this.limits = new AcceptLimits(limits, clock, log, shared, memoryRoom(clock))
    this.#names = {
      published: new ReplicatedNames(names.published),
      unpublished: new ReplicatedNames(names.unpublished),
    }
    this.#secrets = new DebugSecrets(settings.debug, clock)
    this.relay = createRelay({
      ...relayOptions(settings, { ...workerKeys(settings), secrets: this.#secrets }),
      log,
      clock,
      bootstrapDns: this.#names,
      shareLedger: new SharedShareLedger(tally.share, thread),
    })
    this.#idle = idleCollection(this.relay.core.counters)
    const options = { ...listenerOptions(settings.listen, { relay: this.relay, log, limits: this.limits }), clock }
    this.#tls = tls && RelayTls.ofState(tls)
    this.#listener =
      this.#tls === undefined
        ? createHttpListener(options)
        : createHttpsListener({ ...options, log, tls: this.#tls, counters: this.relay.http })
  }

  /** Methods for the main thread. */
  get calls(): WorkerCalls {
    return {
      applyTls: update => this.#tls?.apply(update),
      showNames: names => this.#showNames(names),
      setLogLevel: level => {
        this.log.level = level
      },
    }
  }

  /** Binds `port` (0 to choose one), shared with the other workers. Resolves to the port. */
  async listen(port: number): Promise<number> {
    this.#idle.start()
    await this.#secrets.start()
    const { host } = this.#data.settings.listen.address
    return (await this.#listener.listen(port, host, { reusePort: true })).port
  }

  /** Stops accepting; open connections stay. */
  stopListening(): void {
    this.#listener.stopListening()
  }

  async close(): Promise<void> {
    this.#idle.stop()
    this.#secrets.close()
    this.relay.close()
    await this.#listener.close()
    await this.log.flush(FLUSH_LIMIT_MS)
  }

  #showNames({ published, unpublished }: NamesState): void {
    this.#names.published.known = published
    this.#names.unpublished.known = unpublished
  }
}
