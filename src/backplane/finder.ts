/**
 * Finds keys without a route, and queues their packets meanwhile.
 *
 * Clauses: P-308 to P-310, P-318.
 */

import { KeyMap } from '../keys/key-map.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import type { Clock } from '../lib/clock.ts'
import { DropReason, type PacketKind } from '../metrics/drop-reason.ts'
import type { RegionCounters } from '../metrics/region-counters.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import type { FinderSource, RegionHost } from '../server/region-ports.ts'
import type { Inquiries } from './inquiries.ts'
import { MAX_KEYS, MAX_NOBODIES, MAX_WAITING_KEYS, NOBODY_MS, UNANSWERED_MS } from './limits.ts'
import { payloadBytesOf, type WaitingPacket, WaitingPackets, type WaitingQueue } from './waiting-packets.ts'

export interface FinderPorts {
  readonly host: RegionHost
  readonly clock: Clock
  readonly counters: RegionCounters
  readonly inquiries: Inquiries
  /** Whether all other relays are known and can be queried. */
  canAsk(): boolean
  /** All relays have responded, and none has the key. */
  onNobody(key: NodePublicKey): void
  /** Not all relays have responded. */
  onFailed(key: NodePublicKey): void
}

/** A key being searched for, with its queued packets. */
interface Search {
  readonly key: NodePublicKey
  readonly queue: WaitingQueue
}

interface Nobody {
  readonly untilMs: number
  /** All relays have responded. */
  readonly isSure: boolean
}

export class Finder {
  readonly #ports: FinderPorts
  readonly #searches = new KeyMap<Search>()
  readonly #waiting: WaitingPackets
  #nobodies = new KeyMap<Nobody>()
  #toAsk: Search[] = []

  constructor(ports: FinderPorts) {
    this.#ports = ports
    this.#waiting = new WaitingPackets(packet => this.#drop(packet, DropReason.FindDisplaced))
  }

  /** Queued packets. */
  get waitingPackets(): number {
    return this.#waiting.size
  }

  /** Keys whose search has found nothing, which is cached. */
  get nobodies(): number {
    return this.#nobodies.size
  }

  /** See `Region.takeUnknown`. */
  takeUnknown(source: FinderSource, buffer: Uint8Array, start: number, end: number, kind: PacketKind): boolean {
    const keyAt = start + FRAME_HEADER_LENGTH
    const frame = buffer.subarray(start, end)
    const nobody = this.#nobodyAt(buffer, keyAt)
    if (nobody?.isSure === true) return false
    let search = this.#searches.get(buffer, keyAt)
    if (search === undefined) {
      if (nobody !== undefined || !this.#ports.canAsk() || this.#searches.size >= MAX_WAITING_KEYS) {
        this.#drop({ source, frame, kind }, DropReason.FindFailed)
        return true
      }
      search = this.#search(NodePublicKey.fromBytes(buffer.subarray(keyAt, keyAt + KEY_LENGTH)))
    }
    this.#waiting.add(search.queue, source, kind, frame)
    return true
  }

  /** Searches for a key without a queued packet. */
  look(key: NodePublicKey): void {
    if (this.waitingFor(key.bytes, 0) !== undefined || !this.#ports.canAsk() || this.#searches.size >= MAX_WAITING_KEYS)
      return
    this.#search(key)
  }

  /** Number of packets queued for the key at `offset`; undefined if there is no search for it. */
  waitingFor(bytes: Uint8Array, offset: number): number | undefined {
    return this.#searches.get(bytes, offset)?.queue.length
  }

  /** The key at `offset` has logged in somewhere. */
  forgetNobody(bytes: Uint8Array, offset: number): void {
    const nobody = this.#nobodies.find(bytes, offset)
    if (nobody !== undefined) this.#nobodies.delete(nobody.key)
  }

  /** A new relay may have any key. */
  forgetNobodies(): void {
    this.#nobodies = new KeyMap()
  }

  /** The key has a route: sends its queued packets in order. */
  found(key: NodePublicKey): void {
    const search = this.#searches.get(key.bytes)
    if (search === undefined) return
    const { host, counters } = this.#ports
    counters.found++
    const destination = host.destinationOf(key.bytes, 0)
    for (const packet of this.#end(search)) {
      const { source, frame, kind } = packet
      if (destination === undefined) {
        this.#drop(packet, DropReason.FindFailed)
        continue
      }
      if (destination.local === undefined) host.counters.packetsForwardedOut++
      destination.takeSendPacket(source, frame, 0, frame.length, kind)
    }
  }

  /** Aborts all searches. */
  giveUp(): void {
    this.#toAsk = []
    for (const [, search] of this.#searches) this.#fail(search)
  }

  #search(key: NodePublicKey): Search {
    const search: Search = { key, queue: [] }
    this.#searches.set(key, search)
    this.#ports.counters.searches++
    if (this.#toAsk.push(search) === 1) this.#ports.clock.afterTurn(() => this.#ask())
    return search
  }

  #ask(): void {
    const searches = this.#toAsk.filter(search => this.#isOpen(search))
    this.#toAsk = []
    for (let at = 0; at < searches.length; at += MAX_KEYS) {
      const some = searches.slice(at, at + MAX_KEYS)
      this.#ports.inquiries.ask(
        some.map(({ key }) => key),
        isAnswered => {
          for (const search of some) {
            if (!this.#isOpen(search)) continue
            if (isAnswered) this.#nobodyHas(search)
            else this.#fail(search)
          }
        },
      )
    }
  }

  /** It has no result yet. A second search for the same key may have replaced it. */
  #isOpen(search: Search): boolean {
    return this.#searches.get(search.key.bytes) === search
  }

  #nobodyHas(search: Search): void {
    const { key } = search
    this.#ports.counters.searchesForNobody++
    this.#remember(key, { untilMs: this.#ports.clock.now() + NOBODY_MS, isSure: true })
    for (const packet of this.#end(search)) {
      this.#drop(packet, DropReason.UnknownDest)
      packet.source.tellNotHere(key, packet.kind)
    }
    this.#ports.onNobody(key)
  }

  #fail(search: Search): void {
    const { key } = search
    this.#ports.counters.searchesFailed++
    this.#remember(key, { untilMs: this.#ports.clock.now() + UNANSWERED_MS, isSure: false })
    for (const packet of this.#end(search)) this.#drop(packet, DropReason.FindFailed)
    this.#ports.onFailed(key)
  }

  /** Ends a search; returns its queued packets. */
  #end({ key, queue }: Search): readonly WaitingPacket[] {
    this.#searches.delete(key)
    return this.#waiting.takeAll(queue)
  }

  #nobodyAt(bytes: Uint8Array, offset: number): Nobody | undefined {
    const entry = this.#nobodies.find(bytes, offset)
    if (entry?.value === undefined) return undefined
    if (entry.value.untilMs > this.#ports.clock.now()) return entry.value
    this.#nobodies.delete(entry.key)
    return undefined
  }

  #remember(key: NodePublicKey, nobody: Nobody): void {
    const nowMs = this.#ports.clock.now()
    this.#nobodies.delete(key)
    // The oldest comes first.
    for (const [oldest, { untilMs }] of this.#nobodies) {
      if (untilMs > nowMs && this.#nobodies.size < MAX_NOBODIES) break
      this.#nobodies.delete(oldest)
    }
    this.#nobodies.set(key, nobody)
  }

  #drop(packet: WaitingPacket, reason: DropReason): void {
    this.#ports.host.counters.drop(reason, packet.kind, payloadBytesOf(packet))
  }
}
