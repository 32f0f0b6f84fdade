/** Another relay of the region: its announced state, the link to it, and its routes. */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { Destination, Link, LinkRoutes, RouteTable } from '../server/ports.ts'
import type { Beat, ListPart } from './message.ts'
import type { RelayId } from './stamp.ts'

/** Sends packets to the clients of one relay, over a connection opened by the first packet (P-319). */
export interface RegionLink extends Destination {
  readonly isUp: boolean
  /** The relay is silent: if the link is up, it goes down unless something arrives over it in time (P-316). */
  check(): void
  /** Closes it permanently. */
  close(): void
}

export interface NeighbourParts {
  readonly table: RouteTable
  readonly link: RegionLink
  readonly routeOf: (key: NodePublicKey) => Destination | undefined
}

export class Neighbour implements Link {
  readonly id: RelayId
  readonly link: RegionLink
  readonly routes: LinkRoutes
  url: string
  incarnation: number
  /** Local time of its last beat, in milliseconds. */
  heardAtMs: number
  /** Milliseconds by which its clock is ahead of this relay's. */
  aheadMs = 0
  /** Its clock is not too far ahead. */
  isHeard = true
  /** A message from it is missing: its list is needed. */
  needsList = false
  /** Deadline in milliseconds for its confirmation of this relay's list; undefined if none is pending. */
  confirmsByMs: number | undefined
  /** Time of the last list request, or of the last part received, in milliseconds. */
  askedAtMs: number = Number.NEGATIVE_INFINITY
  /** Routes confirmed in an older generation are dropped when the pending list is complete. */
  listGeneration = 0
  /** Number of its last `here` or `gone`; undefined if the next number is accepted as is (P-312). */
  #sequence: number | undefined
  /** Number up to which its messages were accepted as is; undefined if none were. */
  #assumed: number | undefined
  /** Number of this relay's last message before the relay's list, for the confirmation of the list. */
  listBeganAfter = 0
  /** The next expected part of its list; undefined if a part was missed. */
  #nextPart: number | undefined
  readonly #routeOf: NeighbourParts['routeOf']

  /** @param sequence number of the last message that counts as received; undefined: all sent so far. */
  constructor(id: RelayId, { url, incarnation }: Beat, parts: NeighbourParts, sequence: number | undefined) {
    this.id = id
    this.url = url
    this.incarnation = incarnation
    this.heardAtMs = Number.NEGATIVE_INFINITY
    this.link = parts.link
    this.routes = parts.table.addLink(this, false)
    this.#routeOf = parts.routeOf
    this.#sequence = sequence
  }

  /** Even without a route for the key: the relay reports if the key is not there. */
  destinationFor(client: NodePublicKey): Destination {
    return this.#routeOf(client) ?? this.link
  }

  /** More parts of its list are expected. */
  get isListing(): boolean {
    return this.#nextPart !== undefined
  }

  /** Treats everything it has sent so far as received. */
  acceptNext(): void {
    this.#sequence = undefined
    this.#assumed = undefined
  }

  /** Its list for all has begun with that number, and replaces all before. */
  listBegins(sequence: number): void {
    this.#sequence = sequence
    this.#assumed = undefined
  }

  /**
   * It has received this relay's list, which began after its message of that number; returns whether none after that is
   * missing.
   */
  confirms(sequence: number): boolean {
    const assumed = this.#assumed ?? 0
    this.#assumed = undefined
    this.#sequence ??= sequence
    return assumed <= sequence
  }

  /** A `here` or `gone` has arrived; returns whether none is missing before it. */
  followsWith(sequence: number): boolean {
    return this.#advance(sequence, sequence - 1)
  }

  /** A beat has named the last message; returns whether it has arrived. */
  hasCome(sequence: number): boolean {
    return this.#advance(sequence, sequence)
  }

  /** A part of its list has arrived; returns whether the list is now complete. */
  takePart({ number, isLast }: ListPart): boolean {
    const follows = number === 0 || number === this.#nextPart
    // The list replaces all messages missed before.
    this.needsList = number === 0 ? false : this.needsList || !follows
    this.#nextPart = follows && !isLast ? number + 1 : undefined
    return follows && isLast
  }

  /** It has sent messages up to `sequence`; returns whether those up to `due` have arrived, or are accepted as is. */
  #advance(sequence: number, due: number): boolean {
    const last = this.#sequence
    if (last === undefined) this.#assumed = due
    this.#sequence = Math.max(sequence, last ?? 0)
    return last === undefined || due <= last
  }
}
