/**
 * Bounds the concurrent requests to one backend.
 *
 * Each needs a file descriptor. Without a bound, clients that log in at once would use up the reserve, and requests that
 * cannot be sent would look like a backend that does not respond. Clause: P-040.
 */

import type { Clock } from '../lib/clock.ts'
import { Slots } from '../lib/slots.ts'
import { withTimeLimit } from '../lib/time-limit.ts'
import type { AdmissionSource } from '../metrics/admission-counters.ts'
import { SourceDownError } from './policy.ts'

export interface RequestLimits {
  /** Requests sent at a time. */
  readonly maxRequests: number
  /** How long a client may wait for its request to be sent, in milliseconds. */
  readonly patienceMs: number
}

export const DEFAULTS: RequestLimits = Object.freeze({ maxRequests: 16, patienceMs: 10_000 })

export class RequestQueue {
  readonly #source: AdmissionSource
  readonly #patienceMs: number
  readonly #clock: Clock
  readonly #slots: Slots
  /** Ends the wait of all requests in the queue. */
  #unreachable = new AbortController()

  constructor(source: AdmissionSource, { maxRequests, patienceMs }: RequestLimits, clock: Clock) {
    this.#source = source
    this.#patienceMs = patienceMs
    this.#clock = clock
    this.#slots = new Slots(maxRequests)
  }

  /**
   * Sends a request in its turn.
   *
   * Rejects as `send` does. When it finds the backend unreachable, so do all requests that wait at that time: each would
   * hold a slot until its own timeout. Rejects with an error of our own for a request that was never sent.
   */
  async run<T>(send: () => Promise<T>): Promise<T> {
    const leave = await this.#enter()
    try {
      return await send()
    } catch (error) {
      if (error instanceof SourceDownError && error.isTransport && this.#slots.waiting > 0) {
        this.#unreachable.abort(error)
        this.#unreachable = new AbortController()
      }
      throw error
    } finally {
      leave()
    }
  }

  #enter(): Promise<() => void> {
    const action = `wait to ask ${this.#source}`
    const limit = {
      clock: this.#clock,
      timeoutMs: this.#patienceMs,
      action,
      tooLate: () =>
        new SourceDownError(this.#source, `${action}: too many requests are pending`, {
          isTransport: false,
          isOwn: true,
        }),
      signals: [this.#unreachable.signal],
      discard: (leave: () => void) => leave(),
    }
    return withTimeLimit(limit, signal => this.#slots.enter(action, signal))
  }
}
