/**
 * Makes the decisions that must be made once for all workers of a relay, connects workers to each other, and answers for
 * them all.
 *
 * Knows nothing of threads. See docs/understand/decisions/005-workers.md for the ordering rules.
 */

import { NodePublicKey } from '../../keys/node-key.ts'
import type { Clock } from '../../lib/clock.ts'
import { Emitter } from '../../lib/emitter.ts'
import { RelayCounters } from '../../metrics/counters.ts'
import { HttpCounters } from '../../metrics/http-counters.ts'
import { mergeConnectionCounters, mergeHttpCounters } from '../../metrics/merge.ts'
import type { DrainOptions, DrainResult } from '../../server/drain.ts'
import { RegistryLinkRoutes } from '../../server/link-routes.ts'
import type { AdmissionGate, AdmissionVerdict, Link, LinkRoutes, RouteTable } from '../../server/ports.ts'
import type { RateLimit } from '../../server/reading/rate-limit.ts'
import { type MetricReader, type MetricSources, metricReader } from '../../status/snapshot.ts'
import { dispatch, type Handlers } from '../channel/handlers.ts'
import type { AdmissionMessage, ToCoordinator, WorkerQuestions } from '../channel/messages.ts'
import type { Port, TransferHandle } from '../channel/port.ts'
import { type Answers, serveRpc } from '../channel/rpc.ts'
import type { BatchMemory } from '../link/link-batch.ts'
import { createTally } from '../link/link-tally.ts'
import { takeFromLink } from '../link/packet-link.ts'
import type { CoordinatorEvents } from './coordinator-events.ts'
import { CoordinatorSource } from './coordinator-source.ts'
import { Draining } from './draining.ts'
import { LinkForwarder } from './link-forwarder.ts'
import { Membership } from './membership.ts'
import type { RemoteMember, WorkerHandle, WorkerPort } from './worker-handle.ts'
import { WorkerHandles } from './worker-handles.ts'

/** Options and dependencies of the coordinator. */
export interface CoordinatorOptions {
  /** Time and timers. */
  readonly clock: Clock
  /** Decides who may connect. Default: everyone. */
  readonly admission?: AdmissionGate | undefined
  /** Maximum logged-in clients on all workers together; 0 for no limit (P-109). Default: 0. */
  readonly maxClients?: number
  /** Limit per client (P-103). Default: no limit. */
  readonly rateLimit?: RateLimit | undefined
  /** Bytes per second from all clients together; 0 for no limit. */
  readonly totalRate?: number | undefined
  /** Counters of listeners on the coordinator's thread; their connections are in {@link program}. Default: none. */
  readonly http?: HttpCounters | undefined
  /** Metrics of the program around the relay. */
  readonly program?: Partial<Omit<MetricSources, 'relay' | 'http' | 'wallNow'>>
  readonly memory: BatchMemory
  /** Creates a packet channel with two transferable ends. */
  readonly createChannel: () => readonly [TransferHandle, TransferHandle]
  /** Creates a port from an end that is kept. */
  readonly openLink: (end: TransferHandle) => Port<ArrayBuffer, ArrayBuffer>
}

/** Notifications about a worker. */
export interface WorkerObserver {
  /** It accepts connections. */
  onListening(): void
}

export class Coordinator implements RouteTable {
  readonly events: Emitter<CoordinatorEvents> = new Emitter()
  /** Debug pages for all workers together. */
  readonly source: CoordinatorSource
  /** Reads all statistics of the relay and the program around it, for the pages that workers serve. */
  readonly metrics: MetricReader
  readonly #options: CoordinatorOptions
  readonly #handles = new WorkerHandles()
  readonly #membership: Membership
  readonly #draining = new Draining(this.#handles)
  /** Packets for clients of other relays, and failures on the coordinator's own thread. */
  readonly counters: RelayCounters = new RelayCounters()
  readonly #forwarder: LinkForwarder
  #rateLimit: RateLimit | undefined
  #totalRate: number

  constructor(options: CoordinatorOptions) {
    this.#options = options
    this.#rateLimit = options.rateLimit
    this.#totalRate = options.totalRate ?? 0
    this.#membership = new Membership(this.#handles, this.events, options.maxClients ?? 0)
    const { registry } = this.#membership
    this.#forwarder = new LinkForwarder(registry, this.counters)
    this.source = new CoordinatorSource(this.#handles, this.#membership, {
      clock: options.clock,
      counters: this.counters,
      rateLimit: () => this.#rateLimit,
    })
    this.metrics = this.#metricReader()
  }

  /** Logged-in clients on all workers, in login order. */
  get members(): ReadonlySet<RemoteMember> {
    return this.#membership.members
  }

  /** Logged-in connections on all workers. */
  get connections(): number {
    return this.#membership.members.size
  }

  get rateLimit(): RateLimit | undefined {
    return this.#rateLimit
  }

  /** A change also applies to connected clients (P-103). */
  set rateLimit(limit: RateLimit | undefined) {
    this.#rateLimit = limit
    this.#handles.send({ type: 'rateLimit', limit })
  }

  /** Bytes per second from all clients together (P-105), like {@link rateLimit}. */
  set totalRate(bytesPerSecond: number) {
    this.#totalRate = bytesPerSecond
    this.#handles.send({ type: 'totalRate', bytesPerSecond })
  }

  /** A worker is starting; it receives the full state once it is ready. */
  addWorker(port: WorkerPort, observer: WorkerObserver): WorkerHandle {
    const handle = this.#handles.add(port)
    const handlers = this.#handlers(handle, observer)
    handle.open(message => dispatch(handlers, message))
    return handle
  }

  /** A worker is gone: its sessions have ended. */
  removeWorker(handle: WorkerHandle): void {
    if (!this.#handles.remove(handle)) return
    handle.endReceiving?.(this.counters)
    this.#handles.send({ type: 'unlink', worker: handle.number })
    this.#draining.onWorkerGone(handle, handle.members.size)
    this.source.keepTotalsOf(handle)
    this.#membership.removeAll(handle)
  }

  /** Adds a link to clients of other relays (P-075). */
  addLink(link: Link): LinkRoutes {
    return new RegistryLinkRoutes(this.#membership.registry, link)
  }

  /** Closes all connections of a key; resolves when they have ended and all workers know (P-073). */
  closePeer(peer: NodePublicKey): Promise<void> {
    return this.#membership.closePeer(peer)
  }

  /** Makes all listeners stop accepting connections. */
  stopListening(): void {
    this.#handles.send({ type: 'stopListening' })
  }

  /** Accepts no more connections and closes existing ones gradually; mesh peers come last, on all workers. */
  drain(options: DrainOptions): Promise<DrainResult> {
    return this.#draining.run(options)
  }

  /** Stops all workers. */
  close(): void {
    this.#handles.closeAll()
  }

  #handlers(handle: WorkerHandle, observer: WorkerObserver): Handlers<ToCoordinator> {
    const membership = this.#membership
    const answers = this.#answers(handle)
    return {
      ask: asked => serveRpc(answers, asked, answered => handle.send(answered)),
      answer: answered => handle.asking.settle(answered),
      ready: () => this.#join(handle),
      listening: () => observer.onListening(),
      unregister: ({ id }) => membership.unregister(handle, id),
      subscribe: subscription => membership.subscribePeerGone(handle, subscription),
      failed: ({ failure }) => this.events.emit('connectionFailed', failure),
    }
  }

  #answers(handle: WorkerHandle): Answers<WorkerQuestions> {
    const { source } = this
    const membership = this.#membership
    return {
      register: (message, answer) => membership.register(handle, message, answer),
      activity: (ids, answer) => membership.noteActivity(handle, ids, () => answer(undefined)),
      watch: (id, answer) => {
        membership.watch(handle, id)
        answer(undefined)
      },
      closePeer: async (peer, answer) => {
        await membership.closePeer(NodePublicKey.fromBytes(peer))
        answer(undefined)
      },
      admit: async (message, answer) => answer(await this.#admit(message)),
      clientsEnded: (_, answer) => this.#draining.onClientsEnded(handle, () => answer(undefined)),
      metrics: async (_, answer) => answer(await this.metrics()),
      clients: async (query, answer) => answer(await source.clients(query)),
      traffic: async (_, answer) => answer(await source.traffic()),
      inconsistencies: async (_, answer) => answer(await source.inconsistencies()),
    }
  }

  #metricReader(): MetricReader {
    const { clock, http = new HttpCounters(), program: { version = '', ...program } = {} } = this.#options
    const { source } = this
    const read = metricReader({
      relay: () => source.snapshot(),
      http,
      ...program,
      version,
      wallNow: () => clock.wallNow(),
    })
    return async () => {
      const snapshot = await read()
      const whole = source.lastWhole()
      const connections = [snapshot.connections, whole.connections].filter(part => part !== undefined)
      return {
        ...snapshot,
        http: mergeHttpCounters([http, whole.http]),
        connections: connections.length === 0 ? undefined : mergeConnectionCounters(connections),
      }
    }
  }

  async #admit({ clientKey, ...asked }: AdmissionMessage): Promise<AdmissionVerdict> {
    const { admission } = this.#options
    if (admission === undefined) return { admit: true }
    try {
      return await admission.admit({ ...asked, clientKey: NodePublicKey.fromBytes(clientKey) })
    } catch (error) {
      return { admit: false, reason: String(error), isUnsure: true }
    }
  }

  /** Connects a worker to the others, and sends it the full state. */
  #join(handle: WorkerHandle): void {
    this.#joinToCoordinator(handle)
    for (const other of this.#handles.joined) this.#joinWorkers(handle, other)
    handle.send({ type: 'rateLimit', limit: this.#rateLimit })
    handle.send({ type: 'totalRate', bytesPerSecond: this.#totalRate })
    this.#membership.tellAll(handle)
    handle.send({ type: 'joined' })
  }

  #joinWorkers(one: WorkerHandle, other: WorkerHandle): void {
    const [end, otherEnd] = this.#options.createChannel()
    const [fromOne, fromOther] = [createTally(), createTally()]
    one.send({ type: 'link', worker: other.number, port: end, sent: fromOne, received: fromOther }, [end])
    other.send({ type: 'link', worker: one.number, port: otherEnd, sent: fromOther, received: fromOne }, [otherEnd])
  }

  #joinToCoordinator(handle: WorkerHandle): void {
    const [end, ownEnd] = this.#options.createChannel()
    const [sent, received] = [createTally(), createTally()]
    handle.endReceiving = takeFromLink(this.#options.openLink(ownEnd), sent, this.#options.memory, this.#forwarder)
    const { ledger } = handle
    handle.send({ type: 'coordinatorLink', port: end, sent, received, ledger }, [end])
  }
}
