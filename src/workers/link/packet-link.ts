/**
 * Packets between two threads of the relay: one batch per turn of the event loop.
 *
 * Unacknowledged bytes are bounded: beyond that, packets are dropped (P-102).
 */

import type { Amount, RelayCounters } from '../../metrics/counters.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import type { Flushable } from '../../server/turn-flush.ts'
import type { Port } from '../channel/port.ts'
import { kindOf, overheadOf } from './frame-tag.ts'
import { type BatchMemory, BatchWriter, type FrameSink, readBatch } from './link-batch.ts'
import { LinkCount, tallyIn } from './link-tally.ts'
import type { PacketLedger } from './packet-ledger.ts'

/** Maximum bytes of frames sent and not acknowledged. */
export const MAX_UNTAKEN_BYTES: number = 8 << 20
/** Bytes at which a batch is sent before its turn ends. */
const MAX_BATCH_BYTES: number = 256 << 10

/** What a thread's links share. */
export interface LinkHost {
  readonly counters: RelayCounters
  readonly memory: BatchMemory
  readonly ledger: PacketLedger
  /** Flushes the link at the end of this turn, before clients are written to. */
  flushFirstAfterTurn(link: Flushable): void
}

/** The sending half. */
export class LinkSender implements Flushable {
  readonly #host: LinkHost
  readonly #port: Port<ArrayBuffer, ArrayBuffer>
  /** What the other side has acknowledged. */
  readonly #taken: Int32Array
  /** What has been posted, for when this side is gone. */
  readonly #posted: Int32Array
  readonly #sent = new LinkCount()
  readonly #batch = new BatchWriter()
  /** In the batch. */
  readonly #waiting: Amount = { packets: 0, bytes: 0 }
  /** Bytes that may be added before the acknowledgements are read again. */
  #room = 0
  #isClosed = false

  constructor(host: LinkHost, port: Port<ArrayBuffer, ArrayBuffer>, tally: SharedArrayBuffer) {
    this.#host = host
    this.#port = port
    const { taken, posted } = tallyIn(tally)
    this.#taken = taken
    this.#posted = posted
  }

  /** Sends the frame from `start` to `end` of `buffer`, which must not change before the turn ends. */
  send(to: number, buffer: Uint8Array, start: number, end: number, tag: number): void {
    if (!this.#admit(end - start, tag)) return
    this.#batch.add(buffer, start, end)
    this.#end(to, tag)
  }

  /** Sends two pieces as one frame. */
  sendPieces(to: number, first: Uint8Array, second: Uint8Array, tag: number): void {
    if (!this.#admit(first.length + second.length, tag)) return
    this.#batch.add(first, 0, first.length)
    this.#batch.add(second, 0, second.length)
    this.#end(to, tag)
  }

  flush(): void {
    if (this.#batch.frames === 0) return
    this.#give()
    this.#host.ledger.publish()
    this.#sent.publish(this.#posted)
    const batch = this.#batch.take(this.#host.memory)
    this.#port.post(batch, [batch])
    this.#room = 0
  }

  /** The other side is gone: what it has not acknowledged is lost. */
  close(): void {
    this.#isClosed = true
    this.#batch.clear()
    // What is lost did not leave this thread after all.
    this.#give()
    const { given } = this.#host.ledger
    const { dropped } = this.#host.counters
    for (const kind of ['other', 'disco'] as const) {
      const lost = this.#sent.packetsBeyond(this.#taken, kind)
      const amount = dropped[DropReason.GoneDisconnected][kind]
      amount.packets += lost.packets
      amount.bytes += lost.bytes
      given.packets -= lost.packets
      given.bytes -= lost.bytes
    }
  }

  /** Counts what waits as given to the other side. */
  #give(): void {
    const { given } = this.#host.ledger
    given.packets += this.#waiting.packets
    given.bytes += this.#waiting.bytes
    this.#waiting.packets = 0
    this.#waiting.bytes = 0
  }

  /** Counts a frame of this many bytes, as sent or dropped. */
  #admit(bytes: number, tag: number): boolean {
    const [kind, payloadBytes] = [kindOf(tag), bytes - overheadOf(tag)]
    if (this.#isClosed || !this.#hasRoom(bytes)) {
      const reason = this.#isClosed ? DropReason.GoneDisconnected : DropReason.WorkerBehind
      this.#host.counters.drop(reason, kind, payloadBytes)
      return false
    }
    this.#sent.add(kind, bytes, payloadBytes)
    this.#waiting.packets++
    this.#waiting.bytes += payloadBytes
    if (this.#batch.frames === 0) this.#host.flushFirstAfterTurn(this)
    return true
  }

  #end(to: number, tag: number): void {
    this.#batch.endFrame(to, tag)
    if (this.#batch.bytes >= MAX_BATCH_BYTES) this.flush()
  }

  #hasRoom(bytes: number): boolean {
    if (this.#room < bytes) this.#room = MAX_UNTAKEN_BYTES - this.#sent.bytesBeyond(this.#taken)
    if (this.#room < bytes) return false
    this.#room -= bytes
    return true
  }
}

/**
 * The receiving half: passes on frames and acknowledges them.
 *
 * @param ledger counts them.
 * @returns what ends it, once the other side is gone: what was posted and does not arrive any more is counted as dropped.
 */
export function takeFromLink(
  port: Port<ArrayBuffer, ArrayBuffer>,
  tally: SharedArrayBuffer,
  memory: BatchMemory,
  taker: FrameSink,
  ledger?: PacketLedger,
): (counters: RelayCounters) => void {
  const taken = new LinkCount()
  const { taken: shown, posted } = tallyIn(tally)
  const counting: FrameSink = {
    takeFrame: (to, bytes, start, end, tag) => {
      const payloadBytes = end - start - overheadOf(tag)
      taken.add(kindOf(tag), end - start, payloadBytes)
      if (ledger !== undefined) {
        ledger.taken.packets++
        ledger.taken.bytes += payloadBytes
      }
      taker.takeFrame(to, bytes, start, end, tag)
    },
  }
  port.open(batch => {
    readBatch(batch, memory, counting)
    ledger?.publish()
    taken.publish(shown)
  })
  return counters => {
    port.drain()
    port.close()
    for (const kind of ['other', 'disco'] as const) {
      const beyond = taken.packetsBeyond(posted, kind)
      const amount = counters.dropped[DropReason.GoneDisconnected][kind]
      amount.packets -= beyond.packets
      amount.bytes -= beyond.bytes
      // They came in from the other thread, like those that arrived.
      if (ledger !== undefined) {
        ledger.taken.packets -= beyond.packets
        ledger.taken.bytes -= beyond.bytes
      }
    }
  }
}
