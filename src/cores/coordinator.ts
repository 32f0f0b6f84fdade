/**
 * Decides for all workers of a relay what must be decided once, joins them to each other, and answers for them all.
 *
 * Knows nothing of threads. docs/decisions/005-cores.md has what it must not get wrong.
 */

import { type MetricReader, type MetricSources, metricReader } from '../http/metric-numbers.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import type { Clock } from '../lib/clock.ts'
import { Emitter } from '../lib/emitter.ts'
import { RelayCounters } from '../metrics/counters.ts'
import { HttpCounters } from '../metrics/http-counters.ts'
import { mergeConnectionCounters, mergeHttpCounters } from '../metrics/merge.ts'
import type { DrainOptions, DrainResult } from '../server/drain.ts'
import type { AdmissionGate, AdmissionVerdict, PacketForwarder } from '../server/ports.ts'
import type { RateLimit } from '../server/rate-limit.ts'
import type { CoordinatorEvents } from './coordinator-events.ts'
import { CoordinatorSource } from './coordinator-source.ts'
import { Draining } from './draining.ts'
import { dispatch, type Handlers } from './handlers.ts'
import type { BatchMemory } from './link-batch.ts'
import { createTally } from './link-tally.ts'
import { Membership } from './membership.ts'
import type { AdmissionFacts, ToCoordinator, WorkerQuestions } from './messages.ts'
import { takeFromLink } from './packet-link.ts'
import type { Handed, Port } from './port.ts'
import { type Answers, answerWith } from './questions.ts'
import type { RemoteMember, Seat, WorkerPort } from './seat.ts'
import { Seats } from './seats.ts'
import { SiblingPackets } from './sibling-packets.ts'

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
  readonly createChannel: () => readonly [Handed, Handed]
  /** Makes a port of an end that is kept. */
  readonly openLink: (end: Handed) => Port<ArrayBuffer, ArrayBuffer>
}

/** What becomes of a worker. */
export interface WorkerObserver {
  /** It takes connections. */
  onListening(): void
}

export class Coordinator {
  readonly events: Emitter<CoordinatorEvents> = new Emitter()
  /** What the debug pages show of all workers together. */
  readonly source: CoordinatorSource
  /** Reads all numbers of the relay and of the program around it, for the pages that workers serve. */
  readonly metrics: MetricReader
  readonly #options: CoordinatorOptions
  readonly #seats = new Seats()
  readonly #membership: Membership
  readonly #draining = new Draining(this.#seats)
  /** Of packets that came for siblings, and of what fails on the coordinator's own thread. */
  readonly counters: RelayCounters = new RelayCounters()
  readonly #siblingPackets: SiblingPackets
  #rateLimit: RateLimit | undefined

  constructor(options: CoordinatorOptions) {
    this.#options = options
    this.#rateLimit = options.rateLimit
    this.#membership = new Membership(this.#seats, this.events, options.maxClients ?? 0)
    const { registry } = this.#membership
    this.#siblingPackets = new SiblingPackets(registry, this.counters)
    this.source = new CoordinatorSource(this.#seats, this.#membership, {
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
    this.#seats.send({ type: 'rateLimit', limit })
  }

  /** A worker is being started; it is told all once it says that it is ready. */
  addWorker(port: WorkerPort, observer: WorkerObserver): Seat {
    const seat = this.#seats.add(port)
    const handlers = this.#handlers(seat, observer)
    seat.open(message => dispatch(handlers, message))
    return seat
  }

  /** A worker is gone: its sessions have ended. */
  removeWorker(seat: Seat): void {
    if (!this.#seats.remove(seat)) return
    this.#seats.send({ type: 'unlink', worker: seat.number })
    this.#draining.onWorkerGone(seat, seat.members.size)
    this.source.keepNumbersOf(seat)
    this.#membership.removeAll(seat)
  }

  /** A sibling relay has a client (P-075). */
  addForwarder(key: NodePublicKey, forwarder: PacketForwarder): void {
    this.#membership.registry.addForwarder(key, forwarder)
  }

  /** A sibling relay no longer has a client. */
  removeForwarder(key: NodePublicKey, forwarder: PacketForwarder): void {
    this.#membership.registry.removeForwarder(key, forwarder)
  }

  /** Ends all connections of a key; resolves when they have ended and all workers know (P-073). */
  closePeer(peer: NodePublicKey): Promise<void> {
    return this.#membership.closePeer(peer)
  }

  /** Has all listeners take no more connections. */
  stopListening(): void {
    this.#seats.send({ type: 'stopListening' })
  }

  /** Takes no more connections, and ends those there are bit by bit; siblings come last, on all workers. */
  drain(options: DrainOptions): Promise<DrainResult> {
    return this.#draining.run(options)
  }

  /** Has all workers end. */
  close(): void {
    this.#seats.closeAll()
  }

  #handlers(seat: Seat, observer: WorkerObserver): Handlers<ToCoordinator> {
    const membership = this.#membership
    const answers = this.#answers(seat)
    return {
      ask: asked => answerWith(answers, asked, answered => seat.send(answered)),
      answer: answered => seat.asking.settle(answered),
      ready: () => this.#join(seat),
      listening: () => observer.onListening(),
      unregister: ({ id }) => membership.unregister(seat, id),
      subscribe: subscription => membership.subscribePeerGone(seat, subscription),
      failed: ({ failure }) => this.events.emit('connectionFailed', failure),
    }
  }

  #answers(seat: Seat): Answers<WorkerQuestions> {
    const { source } = this
    const membership = this.#membership
    return {
      register: (facts, answer) => membership.register(seat, facts, answer),
      activity: (id, answer) => membership.noteActivity(seat, id, () => answer(undefined)),
      watch: (id, answer) => {
        membership.watch(seat, id)
        answer(undefined)
      },
      closePeer: async (peer, answer) => {
        await membership.closePeer(NodePublicKey.fromBytes(peer))
        answer(undefined)
      },
      admit: async (facts, answer) => answer(await this.#admit(facts)),
      clientsEnded: (_, answer) => this.#draining.onClientsEnded(seat, () => answer(undefined)),
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

  async #admit({ clientKey, ...asked }: AdmissionFacts): Promise<AdmissionVerdict> {
    const { admission } = this.#options
    if (admission === undefined) return { admit: true }
    try {
      return await admission.admit({ ...asked, clientKey: NodePublicKey.fromBytes(clientKey) })
    } catch (error) {
      return { admit: false, reason: String(error), isUnsure: true }
    }
  }

  /** Joins a worker to the others, and tells it all. */
  #join(seat: Seat): void {
    this.#joinToSiblings(seat)
    for (const other of this.#seats.joined) this.#joinWorkers(seat, other)
    seat.send({ type: 'rateLimit', limit: this.#rateLimit })
    this.#membership.tellAll(seat)
    seat.send({ type: 'joined' })
  }

  #joinWorkers(one: Seat, other: Seat): void {
    const [end, otherEnd] = this.#options.createChannel()
    const [fromOne, fromOther] = [createTally(), createTally()]
    one.send({ type: 'link', worker: other.number, port: end, sent: fromOne, received: fromOther }, [end])
    other.send({ type: 'link', worker: one.number, port: otherEnd, sent: fromOther, received: fromOne }, [otherEnd])
  }

  #joinToSiblings(seat: Seat): void {
    const [end, ownEnd] = this.#options.createChannel()
    const [sent, received] = [createTally(), createTally()]
    takeFromLink(this.#options.openLink(ownEnd), sent, this.#options.memory, this.#siblingPackets)
    seat.send({ type: 'siblings', port: end, sent, received }, [end])
  }
}
