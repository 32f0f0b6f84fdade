/** Pings to a client that answers them, for the round-trip time (P-091). Off by default: the original never pings. */

import { equalBytes } from '../lib/bytes.ts'
import type { Histogram } from '../metrics/histogram.ts'
import { PING_LENGTH } from '../protocol/constants.ts'

export class ClientPings {
  readonly #roundTripMs: Histogram
  /** Payload of the ping that is under way. */
  #payload: Uint8Array | undefined
  #sentAtMs = 0

  /** @param roundTripMs where round-trip times are recorded. */
  constructor(roundTripMs: Histogram) {
    this.#roundTripMs = roundTripMs
  }

  /** The payload of the next ping; an earlier one that was not answered is forgotten. */
  next(nowMs: number): Uint8Array {
    this.#payload = crypto.getRandomValues(new Uint8Array(PING_LENGTH))
    this.#sentAtMs = nowMs
    return this.#payload
  }

  /** A Pong has come. One that answers nothing is ignored. */
  answered(payload: Uint8Array, nowMs: number): void {
    if (this.#payload === undefined || !equalBytes(payload, this.#payload)) return
    this.#payload = undefined
    this.#roundTripMs.observe(nowMs - this.#sentAtMs)
  }
}
