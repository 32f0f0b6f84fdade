/** Packets waiting for one slow connection: a bounded ring from which the oldest is dropped (P-100). */

/** A queued frame and when it came, in milliseconds of the relay's clock. */
export interface QueuedFrame {
  readonly frame: Uint8Array
  /** Bytes of its packet. */
  readonly payloadBytes: number
  readonly enqueuedAtMs: number
}

/** First in, first out; a push into a full queue pushes the oldest out. Owns the frames it holds. */
export class SendQueue {
  readonly #capacity: number
  // Filled on first use: most sessions never have to wait.
  readonly #ring: (QueuedFrame | undefined)[] = []
  #head = 0
  #length = 0
  #bytes = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get length(): number {
    return this.#length
  }

  /** Bytes of all frames that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds a frame; returns the oldest one if it had to make room. */
  push(queued: QueuedFrame): QueuedFrame | undefined {
    const dropped = this.#length === this.#capacity ? this.take() : undefined
    this.#ring[(this.#head + this.#length) % this.#capacity] = queued
    this.#length++
    this.#bytes += queued.frame.length
    return dropped
  }

  /** The oldest frame, left in place. */
  peek(): QueuedFrame | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head]
  }

  /** Removes and returns the oldest frame. */
  take(): QueuedFrame | undefined {
    const oldest = this.peek()
    if (oldest === undefined) return undefined
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) % this.#capacity
    this.#length--
    this.#bytes -= oldest.frame.length
    return oldest
  }
}
