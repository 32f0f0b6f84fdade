/**
 * What a worker has counted, in memory that outlives it: the coordinator settles it after a crash, so that each packet still
 * has an outcome (P-102).
 *
 * Published before others can see what a turn did: before packets leave for another worker, and before those from one are
 * acknowledged. The worker is gone when it is read, so nothing here is atomic. Of two pages one is complete, whenever it ended.
 */

import type { Amount, RelayCounters } from '../../metrics/counters.ts'
import { DROP_REASONS, DropReason } from '../../metrics/drop-reason.ts'

/** Slots of a page: counters, then packets and bytes from and to other threads, then drops. */
const FIELDS = [
  'packetsReceivedDisco',
  'packetsReceivedOther',
  'bytesReceived',
  'packetsSent',
  'bytesSent',
  'packetsForwardedIn',
  'packetsForwardedOut',
] as const
const IN: number = FIELDS.length
const OUT: number = IN + 2
const DROPS: number = OUT + 2
const KINDS = ['disco', 'other'] as const
const PAGE: number = DROPS + DROP_REASONS.length * KINDS.length * 2
/** The first slot says which page is complete. */
const HEAD = 1

/** Memory for one worker. */
export function createLedger(): SharedArrayBuffer {
  return new SharedArrayBuffer((HEAD + 2 * PAGE) * Float64Array.BYTES_PER_ELEMENT)
}

/** The worker's side. */
export class PacketLedger {
  /** From other threads of the relay, and to them. */
  readonly taken: Amount = { packets: 0, bytes: 0 }
  readonly given: Amount = { packets: 0, bytes: 0 }
  readonly #counters: RelayCounters
  #slots: Float64Array | undefined

  constructor(counters: RelayCounters) {
    this.#counters = counters
  }

  /** Publishes to this memory from now on. */
  open(memory: SharedArrayBuffer): void {
    this.#slots = new Float64Array(memory)
  }

  publish(): void {
    const slots = this.#slots
    if (slots === undefined) return
    const page = slots[0] === 0 ? 1 : 0
    write(slots, HEAD + page * PAGE, this.#counters, this.taken, this.given)
    slots[0] = page
  }
}

function write(slots: Float64Array, start: number, counters: RelayCounters, taken: Amount, given: Amount): void {
  let at = start
  for (const field of FIELDS) slots[at++] = counters[field]
  for (const { packets, bytes } of [taken, given]) {
    slots[at++] = packets
    slots[at++] = bytes
  }
  for (const reason of DROP_REASONS) {
    for (const kind of KINDS) {
      const { packets, bytes } = counters.dropped[reason][kind]
      slots[at++] = packets
      slots[at++] = bytes
    }
  }
}

/**
 * Brings the counters of a worker that is gone up to what it published last. The packets that it held then count as
 * dropped; of what kind and how long they were is not known.
 */
export function settleLedger(memory: SharedArrayBuffer, counters: RelayCounters): void {
  const slots = new Float64Array(memory)
  const start = HEAD + (slots[0] as number) * PAGE
  const slot = (at: number) => slots[start + at] as number
  for (const [at, field] of FIELDS.entries()) counters[field] = slot(at)
  let packets = counters.packetsReceivedDisco + counters.packetsReceivedOther + counters.packetsForwardedIn
  packets += slot(IN) - slot(OUT) - counters.packetsSent - counters.packetsForwardedOut
  let at = DROPS
  for (const reason of DROP_REASONS) {
    for (const kind of KINDS) {
      const amount = counters.dropped[reason][kind]
      amount.packets = slot(at++)
      amount.bytes = slot(at++)
      packets -= amount.packets
    }
  }
  counters.dropped[DropReason.GoneDisconnected].other.packets += packets
}
