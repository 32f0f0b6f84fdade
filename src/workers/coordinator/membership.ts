/**
 * Who is connected to a relay on several threads: one registry, whose changes are sent to all workers.
 *
 * Anything that a client may take as a reply is sent only once all workers know about it.
 * Clauses: P-036, P-062, P-065, P-070, P-073, P-109.
 */

import { KeyMap } from '../../keys/key-map.ts'
import { NodePublicKey } from '../../keys/node-key.ts'
import type { Emitter } from '../../lib/emitter.ts'
import type { Link } from '../../server/ports.ts'
import { type PresenceChange, Registry, type RegistryOutput, type Route } from '../../server/registry.ts'
import type { RouteMessage, SessionMessage, ToCoordinator } from '../channel/messages.ts'
import { toPresenceMessage } from '../channel/presence-message.ts'
import type { CoordinatorEvents } from './coordinator-events.ts'
import { RemoteMember, type WorkerHandle } from './worker-handle.ts'
import type { WorkerHandles } from './worker-handles.ts'

type Subscription = Extract<ToCoordinator, { type: 'subscribe' }>

export class Membership implements RegistryOutput<RemoteMember, Link> {
  readonly registry: Registry<RemoteMember, Link> = new Registry(this)
  readonly #handles: WorkerHandles
  readonly #events: Emitter<CoordinatorEvents>
  readonly #maxClients: number
  /** In login order. */
  readonly #members = new Set<RemoteMember>()
  /** Collects routes that change. */
  #moved: KeyMap<Route<RemoteMember, Link>> | undefined

  /** @param maxClients maximum connections, 0 for no limit; those with the mesh key are never refused (P-109). */
  constructor(handles: WorkerHandles, events: Emitter<CoordinatorEvents>, maxClients: number) {
    this.#handles = handles
    this.#events = events
    this.#maxClients = maxClients
  }

  /** Logged-in connections, in login order. */
  get members(): ReadonlySet<RemoteMember> {
    return this.#members
  }

  /** Sends a worker the full state; from then on it gets all changes. */
  tellAll(handle: WorkerHandle): void {
    handle.isJoined = true
    for (const [key, route] of this.registry.routes()) this.#tellRoute(handle, key, messageOf(route))
  }

  /** @param done called with whether there is room, once all workers route to the session. */
  register(handle: WorkerHandle, message: SessionMessage, done: (hasRoom: boolean) => void): void {
    const { id } = message
    if (!message.canMesh && this.#maxClients !== 0 && this.#members.size >= this.#maxClients) {
      handle.refused.add(id)
      done(false)
      return
    }
    const member = new RemoteMember(handle, message)
    handle.members.set(id, member)
    this.#members.add(member)
    this.registry.add(member)
    this.#handles.whenAllKnow(() => {
      if (this.#members.has(member)) this.#events.emit('clientConnected', member)
      done(true)
    })
  }

  unregister(handle: WorkerHandle, id: number): void {
    handle.refused.delete(id)
    const member = handle.members.get(id)
    if (member === undefined) return
    handle.members.delete(id)
    // The client's packets come before the news of its disconnect.
    this.#handles.send({ type: 'drain', worker: handle.number })
    this.#remove(member)
  }

  /** All sessions of a worker have ended with it. */
  removeAll(handle: WorkerHandle): void {
    for (const member of handle.members.values()) this.#remove(member)
    handle.members.clear()
  }

  /** @param done called once all workers know. */
  noteActivity(handle: WorkerHandle, ids: readonly number[], done: () => void): void {
    const members = ids.map(id => handle.members.get(id)).filter(member => member !== undefined)
    if (members.length === 0) {
      done()
      return
    }
    this.#moveRoutes(() => {
      for (const member of members) this.registry.noteActivity(member)
    })
    this.#handles.whenAllKnow(() => {
      for (const member of members) {
        if (this.registry.isLatest(member)) handle.send({ type: 'latest', id: member.id })
      }
      done()
    })
  }

  watch(handle: WorkerHandle, id: number): void {
    const member = handle.members.get(id)
    if (member !== undefined) this.registry.watch(member)
  }

  /** A session has heard from a peer; if that has already left without the worker knowing, it is told at once. */
  subscribePeerGone(handle: WorkerHandle, { id, peer: bytes, handled }: Subscription): void {
    const member = handle.members.get(id)
    if (member === undefined) return
    const peer = NodePublicKey.fromBytes(bytes)
    if (handle.hasMissedDeparture(peer, handled)) this.peerLeft(member, peer)
    else this.registry.subscribePeerGone(member, peer)
  }

  /** Closes all connections of a key; resolves when they have ended and all workers know. */
  async closePeer(peer: NodePublicKey): Promise<void> {
    const closing = this.registry.membersOf(peer).map(({ handle, id }) => handle.asking.ask('close', id))
    // A worker that is gone has no connections.
    await Promise.allSettled(closing)
    await new Promise<void>(resolve => this.#handles.whenAllKnow(resolve))
  }

  routeChanged(key: NodePublicKey, route: Route<RemoteMember, Link>): void {
    if (this.#moved !== undefined) {
      this.#moved.set(key, route)
      return
    }
    const message = messageOf(route)
    for (const handle of this.#handles.joined) this.#tellRoute(handle, key, message)
  }

  keyLeft(key: NodePublicKey): void {
    for (const handle of this.#handles.joined) handle.noteDeparture(key)
  }

  duplicateChanged({ handle, id }: RemoteMember, isDuplicate: boolean): void {
    handle.send({ type: 'duplicate', id, isDuplicate })
  }

  peerLeft({ handle, id }: RemoteMember, peer: NodePublicKey): void {
    handle.send({ type: 'peerLeft', id, peer: peer.bytes })
  }

  presence({ handle, id }: RemoteMember, changes: readonly PresenceChange[]): void {
    handle.send({ type: 'presence', id, changes: changes.map(toPresenceMessage) })
  }

  /** Reports each route that `move` changes once, in its final state. */
  #moveRoutes(move: () => void): void {
    const moved = new KeyMap<Route<RemoteMember, Link>>()
    this.#moved = moved
    move()
    this.#moved = undefined
    for (const [key, route] of moved) this.routeChanged(key, route)
  }

  #remove(member: RemoteMember): void {
    this.#members.delete(member)
    this.registry.remove(member)
    this.#events.emit('clientDisconnected', member)
  }

  #tellRoute(handle: WorkerHandle, key: NodePublicKey, route: RouteMessage): void {
    handle.send({ type: 'route', key: key.bytes, route, connections: this.#members.size })
  }
}

function messageOf({ active, link }: Route<RemoteMember, Link>): RouteMessage {
  if (active !== undefined) return { to: 'session', worker: active.handle.number, id: active.id }
  return { to: link === undefined ? 'nobody' : 'link' }
}
