/** Who is told when a peer leaves the region: the members that have heard from it, each once (P-062). */

import { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'

export class GoneSubscribers<M> {
  readonly #byPeer = new KeyMap<Set<M>>()
  /** The reverse, so that a member's end costs only what it subscribed to. */
  readonly #byMember = new Map<M, NodePublicKey[]>()

  /** Adds a pair, which the caller adds only once. */
  add(member: M, peer: NodePublicKey): void {
    const members = this.#byPeer.get(peer.bytes)
    if (members === undefined) this.#byPeer.set(peer, new Set([member]))
    else members.add(member)
    const peers = this.#byMember.get(member)
    if (peers === undefined) this.#byMember.set(member, [peer])
    else peers.push(peer)
  }

  /** Whether anybody is told of the peer whose key is at `offset`. */
  has(bytes: Uint8Array, offset: number): boolean {
    return this.#byPeer.get(bytes, offset) !== undefined
  }

  /** A member has left: it is told nothing any more. */
  remove(member: M): void {
    for (const peer of this.#byMember.get(member) ?? []) {
      const members = this.#byPeer.get(peer.bytes)
      if (members?.delete(member) && members.size === 0) this.#byPeer.delete(peer)
    }
    this.#byMember.delete(member)
  }

  /** Removes and returns the subscribers of a peer. */
  take(peer: NodePublicKey): Iterable<M> {
    const members = this.#byPeer.get(peer.bytes)
    if (members === undefined) return []
    this.#byPeer.delete(peer)
    return members
  }
}
