/**
 * Bounds the concurrent requests to one backend.
 *
 * Each needs a file descriptor. Without a bound, many concurrent logins would exhaust the reserve, and requests that
 * cannot be sent would look like an unresponsive backend. Clause: P-040.
 */

import type { Clock } from '../lib/clock.ts'
import { Slots } from '../lib/slots.ts'
import { withTimeLimit } from '../lib/time-limit.ts'
import type { AdmissionSource } from '../metrics/admission-counters.ts'
import { SourceDownError } from './policy.ts'

export interface RequestLimits {
  /** Concurrent requests. */
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
  /** Rejects all queued requests. */
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
   * Rejects as `send` does. If the backend is unreachable, all queued requests are rejected too, as each would hold a
   * slot until its own timeout. A request that waited too long is rejected with `isOwn`.
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
    const action = `queue request to ${this.#source}`
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
