/**
 * Packets queued for one connection, in order.
 *
 * A packet stays in the buffer it was received in until the end of its event loop turn: most are sent by then. The rest
 * is settled: copied, so that a slow reader never pins the large buffers that sockets read into (P-100).
 */

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

const FIRST_SLOTS = 8

/** Bytes in all queues that share it. */
export interface QueuedBytes {
  bytes: number
}

/** First in, first out. The caller bounds the {@link length} by taking. */
export class SendQueue {
  length = 0
  /** Bytes of all queued frames. */
  bytes = 0
  // The number of slots is a power of two, 0 at first: most connections never queue.
  #slots: (WaitingPacket | undefined)[] = []
  #head = 0
  readonly #all: QueuedBytes
  /** How many, from the oldest, are settled. */
  #settled = 0

  /** @param all counts this queue's bytes besides. */
  constructor(all: QueuedBytes) {
    this.#all = all
  }

  /** The buffer must not change until the packet has been taken or settled. */
  push(packet: WaitingPacket): void {
    if (this.length === this.#slots.length) this.#grow()
    this.#slots[(this.#head + this.length) & (this.#slots.length - 1)] = packet
    this.length++
    const size = bytesOf(packet)
    this.bytes += size
    this.#all.bytes += size
  }

  /** Removes and returns the oldest packet. */
  take(): WaitingPacket | undefined {
    if (this.length === 0) return undefined
    const oldest = this.#slots[this.#head] as WaitingPacket
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    this.length--
    const size = bytesOf(oldest)
    this.bytes -= size
    this.#all.bytes -= size
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
    return this.#slots[(this.#head + index) & (this.#slots.length - 1)] as WaitingPacket
  }

  #grow(): void {
    const ordered = [...this.#slots.slice(this.#head), ...this.#slots.slice(0, this.#head)]
    const missing = Math.max(FIRST_SLOTS, ordered.length)
    this.#slots = [...ordered, ...Array.from({ length: missing }, () => undefined)]
    this.#head = 0
  }
}

function bytesOf({ start, end }: WaitingPacket): number {
  return end - start
}
