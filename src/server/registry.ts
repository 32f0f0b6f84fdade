/**
 * Who is connected to the region, and what follows from it: routes, duplicates, watchers, departed peers.
 *
 * Pure state: it knows members and links only by identity, and reports changes through its output. One registry decides
 * for all workers of a relay.
 * Clauses: P-062, P-065, P-066, P-070, P-071, P-073, P-075, P-304, P-314, P-315.
 */

import { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { AddressPort } from '../lib/address-port.ts'
import { noRegistryCounts, type RegistryCounters } from '../metrics/registry-counters.ts'
import { ClientSet } from './client-set.ts'
import { GoneSubscribers } from './gone-subscribers.ts'
import { LinkSet } from './link-set.ts'

/** One logged-in connection. */
export interface Member {
  readonly key: NodePublicKey
  readonly remote: AddressPort | undefined
  /** Bits of PeerPresentFlag. */
  readonly flags: number
  /** The client's application name. */
  readonly appName?: string | undefined
}

/** A change of presence, as reported to watchers. */
export type PresenceChange =
  | {
      readonly present: true
      readonly peer: NodePublicKey
      readonly address: AddressPort | undefined
      readonly flags: number
      readonly appName: string | undefined
    }
  | { readonly present: false; readonly peer: NodePublicKey }

/** Where packets for a key go: to the active connection here if there is one, otherwise over a link. */
export interface Route<M, L> {
  readonly active: M | undefined
  readonly link: L | undefined
}

/** Consequences of changes to a {@link Registry}. */
export interface RegistryOutput<M, L> {
  /** The route for `key` has changed. */
  routeChanged(key: NodePublicKey, route: Route<M, L>): void
  /** The member shares its key with others, or no longer does. */
  duplicateChanged(member: M, isDuplicate: boolean): void
  /** `key` has left the region: it has no connection here, and no link reaches it. */
  keyLeft(key: NodePublicKey): void
  /** A peer that `member` has heard from has left the region. */
  peerLeft(member: M, peer: NodePublicKey): void
  /** Presence changes for a watcher. */
  presence(watcher: M, changes: readonly PresenceChange[]): void
}

interface Peer<M, L> {
  /** Connections to this relay; undefined while the key is only reached over links. */
  clients: ClientSet<M> | undefined
  /** Links that reach the key; undefined while it is only connected here. */
  links: LinkSet<L> | undefined
  /** The link that reaches a newer login than all connections here (P-304). */
  newest: L | undefined
}

function routeTo<M, L>({ clients, links, newest }: Peer<M, L>): Route<M, L> {
  if (newest !== undefined) return { active: undefined, link: newest }
  return { active: clients?.active, link: links?.preferred }
}

/** A connection, as reported to watchers. */
function presenceOf({ key, remote, flags, appName }: Member): PresenceChange {
  return { present: true, peer: key, address: remote, flags, appName }
}

export class Registry<M extends Member, L> {
  readonly counters: RegistryCounters = noRegistryCounts()
  readonly #output: RegistryOutput<M, L>
  readonly #peers = new KeyMap<Peer<M, L>>()
  readonly #watchers = new Set<M>()
  readonly #goneSubscribers = new GoneSubscribers<M>()
  #localKeys = 0

  constructor(output: RegistryOutput<M, L>) {
    this.#output = output
  }

  /** Keys known in the region, here or over links. */
  get totalKeys(): number {
    return this.#peers.size
  }

  /** Keys connected here. */
  get localKeys(): number {
    return this.#localKeys
  }

  get watcherCount(): number {
    return this.#watchers.size
  }

  /** All connections of a key. */
  membersOf(key: NodePublicKey): readonly M[] {
    return [...(this.#peers.get(key.bytes)?.clients?.members ?? [])]
  }

  /** All connections of all keys, those of one key in login order. */
  *members(): Generator<M> {
    for (const [, { clients }] of this.#peers) if (clients !== undefined) yield* clients.members
  }

  /** Where packets for a key go; undefined for an unknown key. */
  routeOf(key: NodePublicKey): Route<M, L> | undefined {
    const peer = this.#peers.get(key.bytes)
    return peer && routeTo(peer)
  }

  /** All known keys with their routes. */
  *routes(): Generator<[NodePublicKey, Route<M, L>]> {
    for (const [key, peer] of this.#peers) yield [key, routeTo(peer)]
  }

  /** Whether further activity of this member would change nothing. */
  isLatest(member: M): boolean {
    return this.#peers.get(member.key.bytes)?.clients?.isLatest(member) ?? false
  }

  /** A connection has logged in: the newest of its key, until a link says otherwise. */
  add(member: M): void {
    const peer = this.#peerOf(member.key)
    peer.newest = undefined
    if (peer.clients === undefined) {
      peer.clients = new ClientSet()
      this.#localKeys++
    }
    const { clients } = peer
    const previous = clients.active
    clients.add(member)
    if (previous !== undefined) this.#countDuplicate(clients, member, previous)
    this.#routeTo(member.key, peer)
    this.#tellWatchers(presenceOf(member))
  }

  /** A connection has ended. */
  remove(member: M): void {
    const peer = this.#peers.get(member.key.bytes)
    if (peer?.clients?.remove(member) !== true) return
    const { clients } = peer
    this.#watchers.delete(member)
    this.#goneSubscribers.remove(member)
    if (clients.size === 0) this.#removeLast(member.key, peer)
    else this.#removeDuplicate(member.key, peer, clients)
  }

  /** A connection that shares its key has sent a frame (P-065). */
  noteActivity(member: M): void {
    const peer = this.#peers.get(member.key.bytes)
    if (peer?.clients === undefined) return
    const before = peer.clients.active
    peer.clients.noteActivity(member)
    if (peer.clients.active !== before) this.#routeTo(member.key, peer)
  }

  /** Adds a watcher; all present peers are reported first, its own key included (P-070). */
  watch(watcher: M): void {
    const flood: PresenceChange[] = []
    for (const [, { clients }] of this.#peers) {
      const active = clients?.active
      if (active !== undefined) flood.push(presenceOf(active))
    }
    this.#watchers.add(watcher)
    this.#output.presence(watcher, flood)
  }

  /** Makes `member` be told when `peer` leaves the region, once per pair (P-062). */
  subscribePeerGone(member: M, peer: NodePublicKey): void {
    this.#goneSubscribers.add(member, peer)
  }

  /** Whether anybody here is to be told when the key at `offset` leaves the region. */
  isAwaited(bytes: Uint8Array, offset: number): boolean {
    return this.#goneSubscribers.has(bytes, offset)
  }

  /** A key that is known elsewhere has left the region; nothing changes if it is known here (P-315). */
  leave(key: NodePublicKey): void {
    if (!this.#peers.has(key)) this.#tellLeft(key)
  }

  /** A link reaches `key` (P-075); `isNewest` by a login newer than all connections here (P-304). */
  announce(key: NodePublicKey, link: L, isNewest = false): void {
    const peer = this.#peerOf(key)
    const { newest } = peer
    peer.links ??= new LinkSet()
    const isNew = peer.links.add(link)
    if (isNewest) peer.newest = link
    else if (newest === link) peer.newest = undefined
    if (!isNew && peer.newest === newest) return
    if (isNew && peer.links.size === 2) this.counters.multiForwardersCreated++
    this.#routeTo(key, peer)
  }

  /** A link no longer reaches `key`. */
  withdraw(key: NodePublicKey, link: L): void {
    this.#withdraw(key, link, true)
  }

  /** Like {@link withdraw}, but no client is told: it is not known where the key is (P-314). */
  forget(key: NodePublicKey, link: L): void {
    this.#withdraw(key, link, false)
  }

  /** Inconsistencies for `/debug/check`; empty if there are none. */
  inconsistencies(currentConnections: number): string[] {
    let keys = 0
    let connections = 0
    let empty = 0
    for (const [, { clients, links }] of this.#peers) {
      if (clients !== undefined) {
        keys++
        connections += clients.size
      } else if (links === undefined) empty++
    }
    const found: string[] = []
    if (empty > 0) found.push(`${empty} keys known without a connection or link`)
    if (keys !== this.#localKeys) found.push(`${this.#localKeys} local keys counted, ${keys} registered`)
    if (connections !== currentConnections)
      found.push(`${currentConnections} connections counted, ${connections} registered`)
    return found
  }

  #peerOf(key: NodePublicKey): Peer<M, L> {
    let peer = this.#peers.get(key.bytes)
    if (peer === undefined) {
      peer = { clients: undefined, links: undefined, newest: undefined }
      this.#peers.set(key, peer)
    }
    return peer
  }

  #countDuplicate(clients: ClientSet<M>, member: M, previous: M): void {
    this.counters.duplicateConnectionsTotal++
    this.counters.duplicateConnections++
    this.#output.duplicateChanged(member, true)
    if (clients.size === 2) {
      this.counters.duplicateKeys++
      this.counters.duplicateConnections++
      this.#output.duplicateChanged(previous, true)
    }
  }

  #removeLast(key: NodePublicKey, peer: Peer<M, L>): void {
    peer.clients = undefined
    this.#localKeys--
    if (peer.links === undefined) this.#forget(key, true)
    this.#routeTo(key, peer)
    this.#tellWatchers({ present: false, peer: key })
  }

  #removeDuplicate(key: NodePublicKey, peer: Peer<M, L>, clients: ClientSet<M>): void {
    this.counters.duplicateConnections--
    if (!clients.isDuplicate) {
      this.counters.duplicateConnections--
      this.counters.duplicateKeys--
      for (const last of clients.members) this.#output.duplicateChanged(last, false)
    }
    this.#routeTo(key, peer)
  }

  #withdraw(key: NodePublicKey, link: L, hasLeft: boolean): void {
    const peer = this.#peers.get(key.bytes)
    if (peer === undefined) return
    const { links } = peer
    const several = (links?.size ?? 0) > 1
    if (links === undefined || !links.remove(link)) {
      if (!several) this.counters.forwarderRemovalsOfOther++
      return
    }
    if (peer.newest === link) peer.newest = undefined
    if (several) {
      if (links.size === 1) this.counters.multiForwardersDeleted++
    } else {
      peer.links = undefined
      if (peer.clients === undefined) this.#forget(key, hasLeft)
    }
    this.#routeTo(key, peer)
  }

  #forget(key: NodePublicKey, hasLeft: boolean): void {
    this.#peers.delete(key)
    if (hasLeft) this.#tellLeft(key)
  }

  /** The key has left the region: clients that heard from it are told, once (P-062). */
  #tellLeft(key: NodePublicKey): void {
    this.#output.keyLeft(key)
    for (const member of this.#goneSubscribers.take(key)) this.#output.peerLeft(member, key)
  }

  #routeTo(key: NodePublicKey, peer: Peer<M, L>): void {
    this.#output.routeChanged(key, routeTo(peer))
  }

  #tellWatchers(change: PresenceChange): void {
    for (const watcher of this.#watchers) this.#output.presence(watcher, [change])
  }
}
