/** Frames that are never dropped, in order, while a connection is busy. */

export class ControlQueue {
  /** Bytes of all queued frames. */
  bytes = 0
  #frames: Uint8Array[] = []
  #head = 0

  get isEmpty(): boolean {
    return this.#head === this.#frames.length
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.bytes += frame.length
  }

  /** Queues a frame before all others. */
  pushFirst(frame: Uint8Array): void {
    this.#frames = [frame, ...this.#frames.slice(this.#head)]
    this.#head = 0
    this.bytes += frame.length
  }

  /** Removes and returns the oldest frame. */
  take(): Uint8Array | undefined {
    const frame = this.#frames[this.#head]
    if (frame === undefined) return undefined
    this.#head++
    this.bytes -= frame.length
    if (this.isEmpty) this.clear()
    return frame
  }

  clear(): void {
    this.#frames = []
    this.#head = 0
    this.bytes = 0
  }
}
