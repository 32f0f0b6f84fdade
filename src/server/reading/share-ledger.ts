/**
 * What the threads of a relay share in order to divide one rate: the line, and how far clients have been served.
 *
 * Service is measured in bytes that a client which always waited would have received.
 */

import { WHOLE_FRAME_BYTES } from './rate-limit.ts'

/** Unused rate that may be made up for, in milliseconds: late timers must not cost throughput. */
export const CATCH_UP_MS = 20

export interface ShareLedger {
  /** Clients of all threads that wait. */
  readonly waiting: number
  /** The service that the frames taken last began at. */
  readonly served: number
  /** The first frame that waits on another thread, by the service it begins at; infinite if none does. */
  readonly firstElsewhere: number
  /** Notes that a frame was taken that begins at `start`. */
  advance(start: number): void
  /** Publishes how many clients of this thread wait, and at which service the first frame begins. */
  publish(waiting: number, first: number, nowMs: number): void
  /** Takes `bytes` if the line is free, and is then ahead by them. @returns milliseconds until it is free; 0 if taken. */
  tryTake(bytes: number, bytesPerMs: number, nowMs: number): number
}

/** Milliseconds that the line may be ahead: those of one whole frame. */
export function maxAheadMs(bytesPerMs: number): number {
  return WHOLE_FRAME_BYTES / bytesPerMs
}

/** The ledger of a relay on one thread. */
export class OwnShareLedger implements ShareLedger {
  readonly firstElsewhere: number = Number.POSITIVE_INFINITY
  waiting = 0
  served = 0
  #freeAtMs = Number.NEGATIVE_INFINITY

  advance(start: number): void {
    this.served = Math.max(this.served, start)
  }

  publish(waiting: number): void {
    this.waiting = waiting
  }

  tryTake(bytes: number, bytesPerMs: number, nowMs: number): number {
    // After the rate was raised, the last frame must not block the line as long as it would have before.
    this.#freeAtMs = Math.min(this.#freeAtMs, nowMs + maxAheadMs(bytesPerMs))
    if (this.#freeAtMs > nowMs) return this.#freeAtMs - nowMs
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs - CATCH_UP_MS) + bytes / bytesPerMs
    return 0
  }
}
