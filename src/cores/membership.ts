/**
 * Who is connected to a relay on several cores: one registry, and what follows from it told to all workers.
 *
 * Whatever a client can take for an answer leaves only when all workers know what it answers.
 * Clauses: P-036, P-062, P-065, P-070, P-073, P-109.
 */

import { NodePublicKey } from '../keys/node-key.ts'
import type { Emitter } from '../lib/emitter.ts'
import type { PacketForwarder } from '../server/ports.ts'
import { type PresenceChange, Registry, type RegistryOutput, type Route } from '../server/registry.ts'
import type { CoordinatorEvents } from './coordinator-events.ts'
import type { RouteFacts, SessionFacts, ToCoordinator } from './messages.ts'
import { toPresenceFacts } from './presence-facts.ts'
import { RemoteMember, type Seat } from './seat.ts'
import type { Seats } from './seats.ts'

type Subscription = Extract<ToCoordinator, { type: 'subscribe' }>

export class Membership implements RegistryOutput<RemoteMember, PacketForwarder> {
  readonly registry: Registry<RemoteMember, PacketForwarder> = new Registry(this)
  readonly #seats: Seats
  readonly #events: Emitter<CoordinatorEvents>
  readonly #maxClients: number
  /** In the order of their logins. */
  readonly #members = new Set<RemoteMember>()

  /** @param maxClients connections at once, 0 for no limit; those with the mesh key are let in beyond it (P-109). */
  constructor(seats: Seats, events: Emitter<CoordinatorEvents>, maxClients: number) {
    this.#seats = seats
    this.#events = events
    this.#maxClients = maxClients
  }

  /** Connections that are logged in, in the order of their logins. */
  get members(): ReadonlySet<RemoteMember> {
    return this.#members
  }

  /** Tells a worker all that others have been told; it is told with them from now on. */
  tellAll(seat: Seat): void {
    seat.isJoined = true
    for (const [key, route] of this.registry.routes()) this.#tellRoute(seat, key, factsOf(route))
  }

  /** @param done called with whether there is room, once all workers route to the session. */
  register(seat: Seat, facts: SessionFacts, done: (hasRoom: boolean) => void): void {
    const { id } = facts
    if (!facts.canMesh && this.#maxClients !== 0 && this.#members.size >= this.#maxClients) {
      seat.refused.add(id)
      done(false)
      return
    }
    const member = new RemoteMember(seat, facts)
    seat.members.set(id, member)
    this.#members.add(member)
    this.registry.add(member)
    this.#seats.whenAllKnow(() => {
      if (this.#members.has(member)) this.#events.emit('clientConnected', member)
      done(true)
    })
  }

  unregister(seat: Seat, id: number): void {
    seat.refused.delete(id)
    const member = seat.members.get(id)
    if (member === undefined) return
    seat.members.delete(id)
    // What the client has sent comes before the news that it has left.
    this.#seats.send({ type: 'drain', worker: seat.number })
    this.#remove(member)
  }

  /** All sessions of a worker have ended with it. */
  removeAll(seat: Seat): void {
    for (const member of seat.members.values()) this.#remove(member)
    seat.members.clear()
  }

  /** @param done called once all workers know. */
  noteActivity(seat: Seat, id: number, done: () => void): void {
    const member = seat.members.get(id)
    if (member === undefined) {
      done()
      return
    }
    this.registry.noteActivity(member)
    this.#seats.whenAllKnow(() => {
      if (this.registry.isLatest(member)) seat.send({ type: 'latest', id })
      done()
    })
  }

  watch(seat: Seat, id: number): void {
    const member = seat.members.get(id)
    if (member !== undefined) this.registry.watch(member)
  }

  /** A session has heard from a peer; of one that has left without the worker's knowing it is told at once. */
  subscribePeerGone(seat: Seat, { id, peer: bytes, handled }: Subscription): void {
    const member = seat.members.get(id)
    if (member === undefined) return
    const peer = NodePublicKey.fromBytes(bytes)
    if (seat.hasMissedDeparture(peer, handled)) this.peerLeft(member, peer)
    else this.registry.subscribePeerGone(member, peer)
  }

  /** Ends all connections of a key; resolves when they have ended and all workers know. */
  async closePeer(peer: NodePublicKey): Promise<void> {
    const closing = this.registry.membersOf(peer).map(({ seat, id }) => seat.asking.ask('close', id))
    // A worker that is gone has no connections.
    await Promise.allSettled(closing)
    await new Promise<void>(resolve => this.#seats.whenAllKnow(resolve))
  }

  routeChanged(key: NodePublicKey, route: Route<RemoteMember, PacketForwarder>): void {
    const facts = factsOf(route)
    for (const seat of this.#seats.joined) {
      if (facts.to === 'nobody') seat.noteDeparture(key)
      this.#tellRoute(seat, key, facts)
    }
  }

  duplicateChanged({ seat, id }: RemoteMember, isDuplicate: boolean): void {
    seat.send({ type: 'duplicate', id, isDuplicate })
  }

  peerLeft({ seat, id }: RemoteMember, peer: NodePublicKey): void {
    seat.send({ type: 'peerLeft', id, peer: peer.bytes })
  }

  presence({ seat, id }: RemoteMember, changes: readonly PresenceChange[]): void {
    seat.send({ type: 'presence', id, changes: changes.map(toPresenceFacts) })
  }

  #remove(member: RemoteMember): void {
    this.#members.delete(member)
    this.registry.remove(member)
    this.#events.emit('clientDisconnected', member)
  }

  #tellRoute(seat: Seat, key: NodePublicKey, route: RouteFacts): void {
    seat.send({ type: 'route', key: key.bytes, route, connections: this.#members.size })
  }
}

function factsOf({ active, forwarder }: Route<RemoteMember, PacketForwarder>): RouteFacts {
  if (active !== undefined) return { to: 'session', worker: active.seat.number, id: active.id }
  return { to: forwarder === undefined ? 'nobody' : 'sibling' }
}
