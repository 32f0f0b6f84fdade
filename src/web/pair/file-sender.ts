/**
 * Sends a file in parts: relays drop what they cannot queue, so few parts are in flight, and lost ones are sent again.
 */

import type { Clock, Timer } from '../../lib/clock.ts'
import type { PairMessage } from './pair-message.ts'

/** Bytes of a part: sealed and with its header it fits into a packet. */
export const PART_BYTES = 32_768
/** Bytes in flight: half of what stock relays queue for a client. */
export const WINDOW_BYTES = 16 * PART_BYTES
/** Milliseconds without a reply of the receiver after which parts count as lost. */
const LOST_AFTER_MS = 2_000

export interface FileSenderParts {
  readonly id: number
  readonly file: Uint8Array
  readonly clock: Clock
  readonly send: (message: PairMessage) => Promise<void>
  /** Called with the number of bytes that have arrived. */
  readonly onProgress: (bytes: number) => void
}

export class FileSender {
  readonly #parts: FileSenderParts
  readonly #done = Promise.withResolvers<void>()
  #sent = 0
  #arrived = 0
  #isSending = false
  #timer: Timer | undefined

  constructor(parts: FileSenderParts) {
    this.#parts = parts
  }

  /** Resolves when the whole file has arrived. */
  async run(): Promise<void> {
    if (this.#parts.file.length === 0) return
    this.#watch()
    void this.#fill()
    await this.#done.promise
  }

  /** The receiver has `bytes` without a gap. */
  noteArrived(bytes: number): void {
    if (bytes <= this.#arrived || bytes > this.#sent) return
    this.#arrived = bytes
    this.#parts.onProgress(bytes)
    this.#watch()
    void this.#fill()
  }

  /** The other end is gone. */
  cancel(reason: Error): void {
    this.#timer?.cancel()
    this.#done.reject(reason)
  }

  async #fill(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    const { id, file, send } = this.#parts
    try {
      while (this.#sent < file.length && this.#sent - this.#arrived < WINDOW_BYTES) {
        const at = this.#sent
        const data = file.subarray(at, at + PART_BYTES)
        this.#sent += data.length
        await send({ type: 'part', id, at, data })
      }
    } catch {
      // Without a connection it counts as lost.
    } finally {
      this.#isSending = false
    }
  }

  #watch(): void {
    this.#timer?.cancel()
    if (this.#arrived === this.#parts.file.length) {
      this.#done.resolve()
      return
    }
    this.#timer = this.#parts.clock.after(LOST_AFTER_MS, () => {
      this.#sent = this.#arrived
      this.#watch()
      void this.#fill()
    })
  }
}
