/**
 * Respects rate limits announced by the relay by waiting: nothing is dropped (P-211).
 *
 * Packets leave in order of arrival. Without limits there is no wait and no cost.
 */

import { abortedError, onAbort } from '../lib/abort.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { DerpError } from '../lib/derp-error.ts'
import { TokenBucket } from '../lib/rate/token-bucket.ts'
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

  /** Sets new limits, with a full bucket; a rate not above 0 means none. */
  limit(bytesPerSecond: number, burstBytes: number): void {
    this.#burst = Math.max(0, burstBytes)
    this.#bucket =
      bytesPerSecond > 0
        ? new TokenBucket({ perSecond: bytesPerSecond, burst: this.#burst }, this.#clock.now())
        : undefined
    this.#sendDue()
  }

  /** Sends a frame, which must not change afterwards, once the limits allow. An abort before that cancels it. */
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

  /** Rejects waiting frames. */
  fail(error: DerpError): void {
    this.#timer?.cancel()
    for (const { sent, stopListening } of this.#waiting) {
      stopListening()
      sent.reject(error)
    }
    this.#waiting.clear()
  }

  /** Sends frames that are due, and schedules the rest. */
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

  /** A frame longer than the burst needs a full bucket, which goes into debt. */
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
    // Whole milliseconds, at least one: a rounding remainder must not become a timer that fires immediately.
    this.#timer = this.#clock.after(Math.max(1, Math.ceil(waitMs)), () => this.#sendDue())
  }
}
