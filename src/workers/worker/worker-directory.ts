/**
 * The {@link Directory} of a worker: what the coordinator has decided, and requests to it.
 *
 * Knows nothing of threads. Clauses: P-036, P-062, P-065, P-070, P-073, P-075.
 */

import { KeyMap } from '../../keys/key-map.ts'
import { NodePublicKey } from '../../keys/node-key.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import type { Destination, Directory, Link, Propagated } from '../../server/ports.ts'
import type { RelayCore } from '../../server/relay-core.ts'
import { relayFull } from '../../server/server-login.ts'
import type { Session } from '../../server/session.ts'
import type { RouteMessage, ToCoordinator, WorkerQuestions } from '../channel/messages.ts'
import { type PresenceMessage, toPresenceChange } from '../channel/presence-message.ts'
import type { RpcClient } from '../channel/rpc.ts'
import { hasSource, kindOf, overheadOf } from '../link/frame-tag.ts'
import type { FrameSink } from '../link/link-batch.ts'
import { ActivityNotes } from './activity-notes.ts'
import type { WorkerLinks } from './worker-links.ts'

/** The directory's connection to the coordinator. */
export interface CoordinatorLine {
  readonly worker: number
  readonly asking: RpcClient<WorkerQuestions>
  readonly links: WorkerLinks
  send(message: ToCoordinator): void
  /** Number of coordinator posts handled. */
  handled(): number
}

export class WorkerDirectory implements Directory<Session>, FrameSink {
  readonly #core: RelayCore
  readonly #line: CoordinatorLine
  readonly #sessions = new Map<number, Session>()
  readonly #ids = new Map<Session, number>()
  /** Sessions that share their key and whose activity would change nothing, by key. */
  readonly #latest = new KeyMap<Session>()
  readonly #activity: ActivityNotes
  #coordinatorLink: Link | undefined
  #lastId = 0
  #connections = 0

  constructor(core: RelayCore, line: CoordinatorLine) {
    this.#core = core
    this.#line = line
    this.#activity = new ActivityNotes(core.options.clock, ids => line.asking.ask('activity', ids))
  }

  get connections(): number {
    return this.#connections
  }

  /** Sessions by the ids that the coordinator uses. */
  get sessions(): ReadonlyMap<number, Session> {
    return this.#sessions
  }

  async register(session: Session): Promise<void> {
    const id = ++this.#lastId
    this.#sessions.set(id, session)
    this.#ids.set(session, id)
    const { key, remote, flags, canMesh, info, token } = session
    const hasRoom = await this.#line.asking.ask('register', { id, key: key.bytes, remote, flags, canMesh, info, token })
    if (!hasRoom) throw relayFull(this.#core.options.maxClients)
  }

  unregister(session: Session): void {
    const id = this.#idOf(session)
    this.#sessions.delete(id)
    this.#ids.delete(session)
    this.#activity.drop(id)
    this.#forgetLatest(session)
    // Clients that learn of the disconnect must have received the client's packets before.
    this.#line.links.flush()
    this.#line.send({ type: 'unregister', id })
  }

  noteActivity(session: Session): Propagated {
    return this.#isLatest(session) ? undefined : this.#activity.note(this.#idOf(session))
  }

  subscribePeerGone(session: Session, peer: NodePublicKey): void {
    // A session that has ended is told nothing more.
    const id = this.#ids.get(session)
    if (id !== undefined) this.#line.send({ type: 'subscribe', id, peer: peer.bytes, handled: this.#line.handled() })
  }

  watch(session: Session): Propagated {
    return this.#line.asking.ask('watch', this.#idOf(session))
  }

  closePeer(peer: NodePublicKey): Propagated {
    return this.#line.asking.ask('closePeer', peer.bytes)
  }

  /** Packets for clients of other relays use `link`. */
  useCoordinatorLink(link: Link): void {
    this.#coordinatorLink = link
  }

  routeChanged(keyBytes: Uint8Array, route: RouteMessage, connections: number): void {
    this.#connections = connections
    const key = NodePublicKey.fromBytes(keyBytes)
    const destination = this.#destinationOf(key, route)
    if (destination === undefined) this.#core.routes.delete(key)
    else this.#core.routes.set(key, destination)
    if (this.#latest.get(keyBytes) !== destination) this.#latest.delete(key)
  }

  duplicateChanged(id: number, isDuplicate: boolean): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    session.isDuplicate = isDuplicate
    this.#forgetLatest(session)
  }

  /** Further activity of the session changes nothing. */
  noteLatest(id: number): void {
    const session = this.#sessions.get(id)
    if (session?.isDuplicate === true) this.#latest.set(session.key, session)
  }

  peerLeft(id: number, peer: Uint8Array): void {
    this.#sessions.get(id)?.tellPeerLeft(NodePublicKey.fromBytes(peer))
  }

  presence(id: number, changes: readonly PresenceMessage[]): void {
    this.#sessions.get(id)?.tellPresence(changes.map(toPresenceChange))
  }

  /** A packet from another worker. */
  takeFrame(id: number, bytes: Uint8Array, start: number, end: number, tag: number): void {
    const session = this.#sessions.get(id)
    if (session === undefined) {
      this.#core.counters.drop(DropReason.GoneDisconnected, kindOf(tag), end - start - overheadOf(tag))
    } else if (hasSource(tag)) session.takeForwarded(bytes, start, end, kindOf(tag))
    else session.takeForwardedWithoutSource(bytes, start, end, kindOf(tag))
  }

  #destinationOf(key: NodePublicKey, route: RouteMessage): Destination | undefined {
    if (route.to === 'link') return this.#coordinatorLink?.destinationFor(key)
    if (route.to === 'nobody') return undefined
    return route.worker === this.#line.worker
      ? this.#sessions.get(route.id)
      : this.#line.links.to(route.worker)?.destinationFor(route.id)
  }

  #isLatest(session: Session): boolean {
    return this.#latest.get(session.key.bytes) === session
  }

  #forgetLatest(session: Session): void {
    if (this.#isLatest(session)) this.#latest.delete(session.key)
  }

  #idOf(session: Session): number {
    return this.#ids.get(session) ?? 0
  }
}
