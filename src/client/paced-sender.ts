/**
 * Keeps to the limits that a relay has told, by waiting: nothing is dropped (P-211).
 *
 * Packets leave in the order in which they came. Without limits there is no wait and no cost.
 */

import { abortedError, onAbort } from '../lib/abort.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { DerpError } from '../lib/derp-error.ts'
import { TokenBucket } from '../lib/token-bucket.ts'
import type { FrameSender } from './frame-sender.ts'

interface Waiting {
  readonly frame: Uint8Array
  readonly sent: PromiseWithResolvers<void>
  readonly stopListening: () => void
}

export class PacedSender {
  readonly #sender: FrameSender
  readonly #clock: Clock
  #bucket: TokenBucket | undefined
  #burst = 0
  readonly #waiting = new Set<Waiting>()
  #timer: Timer | undefined

  constructor(sender: FrameSender, clock: Clock) {
    this.#sender = sender
    this.#clock = clock
  }

  /** Takes new limits, with a full bucket; a rate that is not above 0 is none. */
  limit(bytesPerSecond: number, burstBytes: number): void {
    this.#burst = Math.max(0, burstBytes)
    this.#bucket =
      bytesPerSecond > 0
        ? new TokenBucket({ perSecond: bytesPerSecond, burst: this.#burst }, this.#clock.now())
        : undefined
    this.#sendDue()
  }

  /** Sends a frame, which must not change afterwards, once the limits allow it. An abort before that unsends it. */
  send(frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(abortedError('send packet', signal))
    if (this.#waiting.size === 0 && this.#take(frame.length)) return this.#sender.send(frame)
    const sent = Promise.withResolvers<void>()
    const stopListening = onAbort(signal, aborted => {
      this.#waiting.delete(waiting)
      sent.reject(abortedError('send packet', aborted))
      this.#sendDue()
    })
    const waiting = { frame, sent, stopListening }
    this.#waiting.add(waiting)
    if (this.#waiting.size === 1) this.#arm(frame.length)
    return sent.promise
  }

  /** Rejects what waits. */
  fail(error: DerpError): void {
    this.#timer?.cancel()
    for (const { sent, stopListening } of this.#waiting) {
      stopListening()
      sent.reject(error)
    }
    this.#waiting.clear()
  }

  /** Hands over what may leave by now, and waits for the rest. */
  #sendDue(): void {
    for (const waiting of this.#waiting) {
      const { frame, sent, stopListening } = waiting
      if (!this.#take(frame.length)) {
        this.#arm(frame.length)
        return
      }
      this.#waiting.delete(waiting)
      stopListening()
      this.#sender.send(frame).then(sent.resolve, sent.reject)
    }
    this.#timer?.cancel()
  }

  /** A frame longer than the burst leaves with a full bucket, and the bucket goes into debt. */
  #take(bytes: number): boolean {
    if (this.#bucket === undefined) return true
    const nowMs = this.#clock.now()
    if (!this.#bucket.tryTake(Math.min(bytes, this.#burst), nowMs)) return false
    if (bytes > this.#burst) this.#bucket.reserve(bytes - this.#burst, nowMs)
    return true
  }

  #arm(bytes: number): void {
    this.#timer?.cancel()
    const waitMs = this.#bucket?.waitMs(Math.min(bytes, this.#burst), this.#clock.now()) ?? 0
    // Whole milliseconds, at least one: what rounding leaves over must not become a timer that fires on the spot.
    this.#timer = this.#clock.after(Math.max(1, Math.ceil(waitMs)), () => this.#sendDue())
  }
}
