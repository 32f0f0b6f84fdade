/** Who is told when a peer leaves the region: the members that have heard from it, each once (P-062). */

import { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'

/** Maximum pairs of member and peer. Beyond it none is added, and the member is not notified. Each takes some 200 bytes. */
export const MAX_GONE_PAIRS = 1_000_000

/** A peer and its subscribers: a single one is not put in a set, which would take most of the memory. */
interface Awaited<M> {
  readonly peer: NodePublicKey
  members: M | Set<M>
}

export class GoneSubscribers<M> {
  readonly #maxPairs: number
  readonly #byPeer = new KeyMap<Awaited<M>>()
  /** The reverse, so that a member's end costs only what it subscribed to. */
  readonly #byMember = new Map<M, Set<Awaited<M>>>()
  #pairs = 0

  constructor(maxPairs: number = MAX_GONE_PAIRS) {
    this.#maxPairs = maxPairs
  }

  /** Pairs of member and peer. */
  get pairs(): number {
    return this.#pairs
  }

  /** Adds a pair, unless it is here or there is no room. */
  add(member: M, peer: NodePublicKey): void {
    const awaited = this.#byPeer.get(peer.bytes)
    if (this.#pairs >= this.#maxPairs || (awaited !== undefined && isIn(awaited.members, member))) return
    this.#pairs++
    if (awaited === undefined) {
      const first: Awaited<M> = { peer, members: member }
      this.#byPeer.set(peer, first)
      this.#await(member, first)
      return
    }
    if (awaited.members instanceof Set) awaited.members.add(member)
    else awaited.members = new Set([awaited.members, member])
    this.#await(member, awaited)
  }

  #await(member: M, awaited: Awaited<M>): void {
    const peers = this.#byMember.get(member)
    if (peers === undefined) this.#byMember.set(member, new Set([awaited]))
    else peers.add(awaited)
  }

  /** Whether anybody is told of the peer whose key is at `offset`. */
  has(bytes: Uint8Array, offset: number): boolean {
    return this.#byPeer.get(bytes, offset) !== undefined
  }

  /** A member has left: it gets no further notifications. */
  remove(member: M): void {
    for (const { peer, members } of this.#byMember.get(member) ?? []) {
      this.#pairs--
      const isLast = !(members instanceof Set) || (members.delete(member) && members.size === 0)
      if (isLast) this.#byPeer.delete(peer)
    }
    this.#byMember.delete(member)
  }

  /** Removes and returns the subscribers of a peer. */
  take(peer: NodePublicKey): Iterable<M> {
    const awaited = this.#byPeer.get(peer.bytes)
    if (awaited === undefined) return []
    this.#byPeer.delete(peer)
    const members = awaited.members instanceof Set ? awaited.members : [awaited.members]
    for (const member of members) {
      this.#pairs--
      const peers = this.#byMember.get(member)
      peers?.delete(awaited)
      if (peers?.size === 0) this.#byMember.delete(member)
    }
    return members
  }
}

function isIn<M>(members: M | Set<M>, member: M): boolean {
  return members instanceof Set ? members.has(member) : members === member
}
