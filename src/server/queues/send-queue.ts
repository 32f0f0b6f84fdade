/**
 * Packets queued for one connection, in order.
 *
 * A packet stays in the buffer it was received in until the end of its event loop turn: most are sent by then. The rest
 * is settled: copied, so that a slow reader never pins the large buffers that sockets read into (P-100).
 */

import { Fifo } from '../../lib/collections/fifo.ts'

/** The RecvPacket frame from `start` to `end` of `buffer`. */
export interface WaitingPacket {
  buffer: Uint8Array
  start: number
  end: number
  readonly payloadBytes: number
  /** The session it comes from; undefined if forwarded. */
  readonly sender: object | undefined
  /** Milliseconds of the relay's clock; undefined in the turn in which the packet arrived. */
  settledAtMs: number | undefined
}

/** First in, first out. The caller bounds the {@link length} by taking. */
export class SendQueue {
  /** Bytes of all queued frames. */
  bytes = 0
  readonly #packets = new Fifo<WaitingPacket>()
  /** How many, from the oldest, are settled. */
  #settled = 0

  get length(): number {
    return this.#packets.length
  }

  /** The buffer must not change until the packet has been taken or settled. */
  push(packet: WaitingPacket): void {
    this.#packets.push(packet)
    this.bytes += bytesOf(packet)
  }

  /** Removes and returns the oldest packet. */
  take(): WaitingPacket | undefined {
    const oldest = this.#packets.take()
    if (oldest === undefined) return undefined
    this.bytes -= bytesOf(oldest)
    if (this.#settled > 0) this.#settled--
    return oldest
  }

  /** Copies packets added since the last call into one buffer of exactly their size. */
  settle(nowMs: number): void {
    if (this.#settled === this.length) return
    let total = 0
    for (let at = this.#settled; at < this.length; at++) total += bytesOf(this.#at(at))
    const copy = new Uint8Array(total)
    let filled = 0
    for (let at = this.#settled; at < this.length; at++) {
      const packet = this.#at(at)
      copy.set(packet.buffer.subarray(packet.start, packet.end), filled)
      const size = bytesOf(packet)
      packet.buffer = copy
      packet.start = filled
      filled += size
      packet.end = filled
      packet.settledAtMs = nowMs
    }
    this.#settled = this.length
  }

  #at(index: number): WaitingPacket {
    return this.#packets.at(index) as WaitingPacket
  }
}

function bytesOf({ start, end }: WaitingPacket): number {
  return end - start
}
