/** Another relay of the region: what it says of itself, the link to it, and the routes over it. */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { Destination, Link, LinkRoutes, RouteTable } from '../server/ports.ts'
import type { Beat, ListPart } from './message.ts'
import type { RelayId } from './stamp.ts'

/** Packets to the clients of one relay, over a connection that is opened when one comes (P-319). */
export interface RegionLink extends Destination {
  readonly isUp: boolean
  /** Closes it for good. */
  close(): void
}

/** What a neighbour is made of. */
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
  /** When its last beat came, in milliseconds of this relay's clock. */
  heardAtMs: number
  /** Milliseconds that its clock is ahead of this relay's. */
  aheadMs = 0
  /** Its clock is not too far ahead. */
  isHeard = true
  /** Something that it has said is missing: its list is needed. */
  needsList = false
  /** When it must have confirmed this relay's list for all, in milliseconds; undefined if it need not, or has. */
  confirmsByMs: number | undefined
  /** When it was last asked for its list, or a part of that came, in milliseconds. */
  askedAtMs: number = Number.NEGATIVE_INFINITY
  /** Routes confirmed in an older generation do not outlive the list that is coming. */
  listGeneration = 0
  /** Number of its last message of here or gone; undefined if the next is taken as it comes (P-312). */
  #sequence: number | undefined
  /** The part that follows in its list; undefined if a part is missing. */
  #nextPart: number | undefined
  readonly #routeOf: NeighbourParts['routeOf']

  /** @param sequence number of its last message that counts as received; undefined for all sent so far. */
  constructor(id: RelayId, { url, incarnation }: Beat, parts: NeighbourParts, sequence: number | undefined) {
    this.id = id
    this.url = url
    this.incarnation = incarnation
    this.heardAtMs = Number.NEGATIVE_INFINITY
    this.link = parts.link
    this.routes = parts.table.addLink(this)
    this.#routeOf = parts.routeOf
    this.#sequence = sequence
  }

  /** A key whose route is gone has all packets' way to the relay, which says that the key is not there. */
  destinationFor(client: NodePublicKey): Destination {
    return this.#routeOf(client) ?? this.link
  }

  /** Parts of its list are to come. */
  get isListing(): boolean {
    return this.#nextPart !== undefined
  }

  /** What it has sent so far counts as received. */
  acceptNext(): void {
    this.#sequence = undefined
  }

  /** A message of here or gone has come; returns whether none is missing before it. */
  followsWith(sequence: number): boolean {
    const last = this.#sequence
    if (last === undefined || sequence > last) this.#sequence = sequence
    return last === undefined || sequence <= last + 1
  }

  /** A beat has named the last message; returns whether it has come. */
  hasCome(sequence: number): boolean {
    const last = this.#sequence
    if (last === undefined || sequence > last) this.#sequence = sequence
    return last === undefined || sequence <= last
  }

  /** A part of its list has come; returns whether the whole list has, from its first part on. */
  takePart({ number, isLast }: ListPart): boolean {
    const follows = number === 0 || number === this.#nextPart
    // The list makes up for all that was missing before.
    this.needsList = number === 0 ? false : this.needsList || !follows
    this.#nextPart = follows && !isLast ? number + 1 : undefined
    return follows && isLast
  }
}
