/** Frames that are never dropped, in order, while a connection is busy. */

import { Fifo } from '../../lib/collections/fifo.ts'

export class ControlQueue {
  /** Bytes of all queued frames. */
  bytes = 0
  readonly #frames = new Fifo<Uint8Array>()

  get isEmpty(): boolean {
    return this.#frames.length === 0
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.bytes += frame.length
  }

  /** Queues a frame before all others. */
  pushFirst(frame: Uint8Array): void {
    this.#frames.pushFirst(frame)
    this.bytes += frame.length
  }

  /** Removes and returns the oldest frame. */
  take(): Uint8Array | undefined {
    const frame = this.#frames.take()
    if (frame === undefined) return undefined
    this.bytes -= frame.length
    return frame
  }
}
