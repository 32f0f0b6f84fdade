/**
 * One worker of a relay: what its relay core is created with, and what it does on the coordinator's behalf.
 *
 * Knows nothing of threads.
 */

import { mergeCounters } from '../../metrics/counters.ts'
import type { AdmissionGate } from '../../server/ports.ts'
import type { CreateDirectory } from '../../server/relay-core.ts'
import type { DebugSource } from '../../status/relay-view.ts'
import type { MetricReader } from '../../status/snapshot.ts'
import { Channel } from '../channel/channel.ts'
import { dispatch, type Handlers } from '../channel/handlers.ts'
import type { ToCoordinator, ToWorker, WorkerQuestions } from '../channel/messages.ts'
import { RpcClient, serveRpc } from '../channel/rpc.ts'
import { PacketLedger } from '../link/packet-ledger.ts'
import { CoordinatorLink } from './destinations.ts'
import { workerAnswers } from './worker-answers.ts'
import { WorkerDirectory } from './worker-directory.ts'
import { WorkerLinks } from './worker-links.ts'
import { COORDINATOR, type WorkerChannels, type WorkerRuntime } from './worker-runtime.ts'

/** One worker of a relay, for the option `worker` of `createRelay`; its coordinator decides and has the data of its pages. */
export class RelayWorker {
  /** Number of the worker, from 0 in the order of first starts; a replacement has a new one. */
  readonly worker: number
  readonly #wiring: WorkerChannels
  readonly #channel: Channel<ToCoordinator, ToWorker>
  readonly #asking: RpcClient<WorkerQuestions>
  #directory: WorkerDirectory | undefined
  #links: WorkerLinks | undefined
  #ledger: PacketLedger | undefined
  /** Resolves when the coordinator has closed the worker. */
  readonly closed: Promise<void>
  readonly #setClosed: () => void

  /** @internal */
  constructor(wiring: WorkerChannels) {
    this.#wiring = wiring
    this.worker = wiring.worker
    this.#channel = new Channel(wiring.port)
    this.#asking = new RpcClient(asked => this.#channel.send(asked))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    this.#setClosed = resolve
  }

  /** For the relay core, which makes none of the decisions that must be made once. @internal */
  readonly createDirectory: CreateDirectory = core => {
    const { worker, openLink, memory } = this.#wiring
    const flushFirstAfterTurn = core.flushFirstAfterTurn.bind(core)
    const taker = { takeFrame: (...frame: Parameters<WorkerDirectory['takeFrame']>) => directory.takeFrame(...frame) }
    const ledger = new PacketLedger(core.counters)
    const links = new WorkerLinks({ counters: core.counters, memory, ledger, flushFirstAfterTurn }, openLink, taker)
    const send = (message: ToCoordinator) => this.#channel.send(message)
    const handled = () => this.#channel.handled
    const directory = new WorkerDirectory(core, { worker, asking: this.#asking, links, send, handled })
    this.#links = links
    this.#ledger = ledger
    this.#directory = directory
    return directory
  }

  /** Asks the coordinator. */
  readonly admission: AdmissionGate = {
    admit: ({ clientKey, info, remote, token }) =>
      this.#asking.ask('admit', { clientKey: clientKey.bytes, info, remote, token }),
  }

  /** Debug pages for the whole relay. */
  readonly source: DebugSource = {
    snapshot: async () => (await this.metrics()).relay,
    clients: query => this.#asking.ask('clients', query),
    traffic: () => this.#asking.ask('traffic', undefined),
    inconsistencies: () => this.#asking.ask('inconsistencies', undefined),
  }

  /** All statistics of the whole relay and the program around it. */
  readonly metrics: MetricReader = async () => {
    const snapshot = await this.#asking.ask('metrics', undefined)
    // Data from other threads has no methods.
    return { ...snapshot, relay: { ...snapshot.relay, counters: mergeCounters([snapshot.relay.counters]) } }
  }

  /** @internal */
  get directory(): WorkerDirectory {
    if (this.#directory === undefined) throw new TypeError('run worker: its core was created without createDirectory')
    return this.#directory
  }

  /** @internal */
  get links(): WorkerLinks {
    if (this.#links === undefined) throw new TypeError('run worker: its core was created without createDirectory')
    return this.#links
  }

  /** Starts the worker: it receives the full state, then listens. @internal */
  run(runtime: WorkerRuntime): void {
    const { core } = runtime
    core.events.on('connectionFailed', failure => this.#channel.send({ type: 'failed', failure }))
    const handlers = this.#handlers(runtime)
    this.#channel.open(message => dispatch(handlers, message))
    this.#channel.send({ type: 'ready' })
  }

  #handlers(runtime: WorkerRuntime): Handlers<ToWorker> {
    const { directory, links } = this
    const { core } = runtime
    const cut = new AbortController()
    const answers = workerAnswers({ ...runtime, directory, cut: cut.signal, ledger: this.#ledger }, this.#asking)
    return {
      ask: asked => serveRpc(answers, asked, answered => this.#channel.send(answered)),
      answer: answered => this.#asking.settle(answered),
      route: ({ key, route, connections }) => directory.routeChanged(key, route, connections),
      duplicate: ({ id, isDuplicate }) => directory.duplicateChanged(id, isDuplicate),
      latest: ({ id }) => directory.noteLatest(id),
      peerLeft: ({ id, peer }) => directory.peerLeft(id, peer),
      presence: ({ id, changes }) => directory.presence(id, changes),
      link: message => links.add(message.worker, message),
      coordinatorLink: message => {
        this.#ledger?.open(message.ledger)
        directory.useCoordinatorLink(new CoordinatorLink(links.add(COORDINATOR, message)))
      },
      unlink: ({ worker }) => links.remove(worker),
      drain: ({ worker }) => links.drain(worker),
      rateLimit: ({ limit }) => {
        core.rateLimit = limit
      },
      totalRate: ({ bytesPerSecond }) => {
        core.totalRate = bytesPerSecond
      },
      joined: () => void this.#listen(runtime),
      cut: () => cut.abort(),
      stopListening: () => runtime.stopListening(),
      close: () => void this.#close(runtime),
    }
  }

  async #listen(runtime: WorkerRuntime): Promise<void> {
    await runtime.listen()
    this.#channel.send({ type: 'listening' })
  }

  async #close(runtime: WorkerRuntime): Promise<void> {
    runtime.core.close()
    await runtime.close()
    this.#channel.close()
    this.#setClosed()
  }
}
