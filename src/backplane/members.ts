/**
 * The other relays of the region: which are alive, and whether all their messages have arrived.
 *
 * Clauses: P-300, P-301, P-312, P-316.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { Log } from '../lib/log.ts'
import type { RegionCounters } from '../metrics/region-counters.ts'
import type { RouteTable } from '../server/ports.ts'
import { DEAD_MS, RESYNC_PAUSE_MS } from './limits.ts'
import type { Beat } from './message.ts'
import { Neighbour, type NeighbourParts, type RegionLink } from './neighbour.ts'
import type { RelayId } from './stamp.ts'

/** Creates a link to another relay, opened by the first packet for its clients. */
export type OpenLink = (relay: { readonly id: RelayId; readonly url: string }, events: LinkEvents) => RegionLink

export interface LinkEvents {
  /** The relay does not have `key`, but received a packet for it. */
  onNotHere(key: NodePublicKey): void
}

export interface MembersPorts {
  readonly table: RouteTable
  readonly openLink: OpenLink
  readonly routeOf: NeighbourParts['routeOf']
  readonly log: Log
  readonly counters: RegionCounters
  /** A relay has joined, for the first time or again. */
  readonly onMet: (relay: Neighbour) => void
  /** A relay has left; its routes still exist. */
  readonly onLost: (relay: Neighbour) => void
  readonly onNotHere: (relay: Neighbour, key: NodePublicKey) => void
  /** Requests the relay's list; returns whether the request was sent. */
  readonly askForList: (relay: Neighbour) => boolean
}

export class Members implements Iterable<Neighbour> {
  readonly #ports: MembersPorts
  readonly #relays = new Map<RelayId, Neighbour>()

  constructor(ports: MembersPorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#relays.size
  }

  get(id: RelayId): Neighbour | undefined {
    return this.#relays.get(id)
  }

  [Symbol.iterator](): Iterator<Neighbour> {
    return this.#relays.values()
  }

  /** This relay is about to list all its keys; messages it missed from the others need not be repeated. */
  beginAnew(nowMs: number): void {
    for (const relay of this) {
      relay.acceptNext()
      relay.heardAtMs = nowMs
      relay.confirmsByMs = Number.POSITIVE_INFINITY
    }
  }

  /** This relay cannot receive at present: missing beats do not count. */
  excuseSilence(nowMs: number): void {
    for (const relay of this) relay.heardAtMs = nowMs
  }

  /** This relay's list for all has been sent. A relay that does not confirm it may have newer logins. */
  listSent(nowMs: number): void {
    for (const relay of this) if (relay.confirmsByMs !== undefined) relay.confirmsByMs = nowMs + RESYNC_PAUSE_MS
  }

  /**
   * A beat has arrived.
   *
   * @param hasJoined whether this relay should have received the sender's earlier messages.
   */
  hear(id: RelayId, beat: Beat, nowMs: number, hasJoined: boolean): void {
    let relay = this.#relays.get(id)
    // A delayed beat from an earlier incarnation.
    if (relay !== undefined && beat.incarnation < relay.incarnation) return
    if (relay !== undefined && beat.incarnation > relay.incarnation) {
      this.lose(relay, 'it has started anew')
      relay = undefined
    }
    const met = relay ?? this.#meet(id, beat, hasJoined ? 0 : undefined)
    met.heardAtMs = nowMs
    if (!met.hasCome(beat.sequence)) met.needsList = true
    if (relay === undefined) this.#ports.onMet(met)
  }

  /** Detects dead relays and requests missing lists. */
  look(nowMs: number): void {
    for (const relay of this) {
      if (relay.confirmsByMs !== undefined && nowMs >= relay.confirmsByMs) {
        relay.confirmsByMs = undefined
        relay.needsList = true
      }
      const isSilent = nowMs - relay.heardAtMs >= DEAD_MS
      if (isSilent && !relay.link.isUp) {
        this.lose(relay, 'it is silent, and has no link')
        continue
      }
      if (isSilent) relay.link.check()
      if (relay.needsList || relay.isListing) this.#askForList(relay, nowMs)
    }
  }

  /** A relay has left, with all its clients. */
  lose(relay: Neighbour, reason: string): void {
    this.#relays.delete(relay.id)
    this.#ports.counters.relaysLost++
    this.#ports.log.info('relay has left the region', { relay: relay.id, url: relay.url, reason })
    this.#ports.onLost(relay)
    relay.link.close()
  }

  /** Closes all links. */
  close(): void {
    for (const relay of this) relay.link.close()
  }

  #askForList(relay: Neighbour, nowMs: number): void {
    if (nowMs - relay.askedAtMs < RESYNC_PAUSE_MS || !this.#ports.askForList(relay)) return
    relay.askedAtMs = nowMs
    this.#ports.counters.resyncs++
  }

  #meet(id: RelayId, beat: Beat, sequence: number | undefined): Neighbour {
    const { table, openLink, routeOf, counters, log, onNotHere } = this.#ports
    const link = openLink({ id, url: beat.url }, { onNotHere: key => onNotHere(relay, key) })
    const relay = new Neighbour(id, beat, { table, link, routeOf }, sequence)
    this.#relays.set(id, relay)
    counters.relaysMet++
    log.info('relay has joined the region', { relay: id, url: beat.url })
    return relay
  }
}
