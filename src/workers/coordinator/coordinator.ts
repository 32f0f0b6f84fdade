/**
 * Decides for all workers of a relay what must be decided once, joins them to each other, and answers for them all.
 *
 * Knows nothing of threads. docs/decisions/005-workers.md has what it must not get wrong.
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
import type { RateLimit } from '../../server/rate-limit.ts'
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

/** What the coordinator needs. */
export interface CoordinatorOptions {
  readonly clock: Clock
  /** Who may connect. Default: everybody. */
  readonly admission?: AdmissionGate | undefined
  /** Clients logged in at once, on all workers together; 0 for no limit (P-109). Default: 0. */
  readonly maxClients?: number
  /** What each client may send (P-103). Default: no limit. */
  readonly rateLimit?: RateLimit | undefined
  /** Of listeners on the coordinator's own thread; their connections are in {@link program}. Default: none. */
  readonly http?: HttpCounters | undefined
  /** What the metrics show of the program around the relay. */
  readonly program?: Partial<Omit<MetricSources, 'relay' | 'http' | 'wallNow'>>
  readonly memory: BatchMemory
  /** Makes a channel for packets, with two ends to be handed over. */
  readonly createChannel: () => readonly [TransferHandle, TransferHandle]
  /** Makes a port of an end that is kept. */
  readonly openLink: (end: TransferHandle) => Port<ArrayBuffer, ArrayBuffer>
}

/** What becomes of a worker. */
export interface WorkerObserver {
  /** It takes connections. */
  onListening(): void
}

export class Coordinator implements RouteTable {
  readonly events: Emitter<CoordinatorEvents> = new Emitter()
  /** What the debug pages show of all workers together. */
  readonly source: CoordinatorSource
  /** Reads all numbers of the relay and of the program around it, for the pages that workers serve. */
  readonly metrics: MetricReader
  readonly #options: CoordinatorOptions
  readonly #handles = new WorkerHandles()
  readonly #membership: Membership
  readonly #draining = new Draining(this.#handles)
  /** Of packets for clients of other relays, and of what fails on the coordinator's own thread. */
  readonly counters: RelayCounters = new RelayCounters()
  readonly #forwarder: LinkForwarder
  #rateLimit: RateLimit | undefined

  constructor(options: CoordinatorOptions) {
    this.#options = options
    this.#rateLimit = options.rateLimit
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

  /** Clients that are logged in, on all workers, in the order of their logins. */
  get members(): ReadonlySet<RemoteMember> {
    return this.#membership.members
  }

  /** Connections that are logged in, on all workers. */
  get connections(): number {
    return this.#membership.members.size
  }

  get rateLimit(): RateLimit | undefined {
    return this.#rateLimit
  }

  /** A change takes effect on those who are connected too (P-103). */
  set rateLimit(limit: RateLimit | undefined) {
    this.#rateLimit = limit
    this.#handles.send({ type: 'rateLimit', limit })
  }

  /** A worker is being started; it is told all once it says that it is ready. */
  addWorker(port: WorkerPort, observer: WorkerObserver): WorkerHandle {
    const handle = this.#handles.add(port)
    const handlers = this.#handlers(handle, observer)
    handle.open(message => dispatch(handlers, message))
    return handle
  }

  /** A worker is gone: its sessions have ended. */
  removeWorker(handle: WorkerHandle): void {
    if (!this.#handles.remove(handle)) return
    this.#handles.send({ type: 'unlink', worker: handle.number })
    this.#draining.onWorkerGone(handle, handle.members.size)
    this.source.keepNumbersOf(handle)
    this.#membership.removeAll(handle)
  }

  /** Adds a way to clients of other relays (P-075). */
  addLink(link: Link): LinkRoutes {
    return new RegistryLinkRoutes(this.#membership.registry, link)
  }

  /** Ends all connections of a key; resolves when they have ended and all workers know (P-073). */
  closePeer(peer: NodePublicKey): Promise<void> {
    return this.#membership.closePeer(peer)
  }

  /** Has all listeners take no more connections. */
  stopListening(): void {
    this.#handles.send({ type: 'stopListening' })
  }

  /** Takes no more connections, and ends those there are bit by bit; mesh peers come last, on all workers. */
  drain(options: DrainOptions): Promise<DrainResult> {
    return this.#draining.run(options)
  }

  /** Has all workers end. */
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
      activity: (id, answer) => membership.noteActivity(handle, id, () => answer(undefined)),
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
      clients: async ({ offset, limit }, answer) => answer(await source.clients(offset, limit)),
      traffic: async (_, answer) => answer(await source.traffic()),
      inconsistencies: async (_, answer) => answer(await source.inconsistencies()),
    }
  }

  #metricReader(): MetricReader {
    const { clock, http = new HttpCounters(), program: { version = '', ...program } = {} } = this.#options
    const { source } = this
    const read = metricReader({
      relay: () => source.numbers(),
      http,
      ...program,
      version,
      wallNow: () => clock.wallNow(),
    })
    return async () => {
      const numbers = await read()
      const whole = source.lastWhole()
      const connections = [numbers.connections, whole.connections].filter(part => part !== undefined)
      return {
        ...numbers,
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

  /** Joins a worker to the others, and tells it all. */
  #join(handle: WorkerHandle): void {
    this.#joinToCoordinator(handle)
    for (const other of this.#handles.joined) this.#joinWorkers(handle, other)
    handle.send({ type: 'rateLimit', limit: this.#rateLimit })
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
    takeFromLink(this.#options.openLink(ownEnd), sent, this.#options.memory, this.#forwarder)
    handle.send({ type: 'coordinatorLink', port: end, sent, received }, [end])
  }
}
