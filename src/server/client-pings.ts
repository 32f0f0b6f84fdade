/** Pings to clients that support it, for the round-trip time (P-091). Off by default: the original never pings. */

import { equalBytes } from '../lib/bytes.ts'
import type { Histogram } from '../metrics/histogram.ts'
import { PING_LENGTH } from '../protocol/constants.ts'

export class ClientPings {
  /** The last round-trip time; undefined before the first. */
  lastMs: number | undefined
  readonly #roundTripMs: Histogram
  /** Payload of the pending ping. */
  #payload: Uint8Array | undefined
  #sentAtMs = 0

  /** @param roundTripMs receives the round-trip times. */
  constructor(roundTripMs: Histogram) {
    this.#roundTripMs = roundTripMs
  }

  /** The payload of the next ping; an earlier unanswered one is forgotten. */
  next(nowMs: number): Uint8Array {
    this.#payload = crypto.getRandomValues(new Uint8Array(PING_LENGTH))
    this.#sentAtMs = nowMs
    return this.#payload
  }

  /** Handles a Pong; one that matches no ping is ignored. */
  answered(payload: Uint8Array, nowMs: number): void {
    if (this.#payload === undefined || !equalBytes(payload, this.#payload)) return
    this.#payload = undefined
    this.lastMs = nowMs - this.#sentAtMs
    this.#roundTripMs.observe(this.lastMs)
  }
}
