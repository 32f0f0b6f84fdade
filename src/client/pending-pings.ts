/** Pings sent by `ping` whose Pong is pending (P-207). */

import type { DerpError } from '../lib/derp-error.ts'

export interface PendingPing {
  /** Eight random bytes. */
  readonly payload: Uint8Array
  /** Resolves with the Pong. */
  readonly answered: Promise<void>
}

export class PendingPings {
  readonly #waiting = new Map<bigint, PromiseWithResolvers<void>>()

  /** Starts waiting for the Pong of a new payload. */
  add(): PendingPing {
    const payload = crypto.getRandomValues(new Uint8Array(8))
    const answered = Promise.withResolvers<void>()
    // The connection may fail before anyone awaits the reply.
    answered.promise.catch(() => {})
    this.#waiting.set(keyOf(payload), answered)
    return { payload, answered: answered.promise }
  }

  /** Handles a Pong; returns whether it was expected. */
  take(payload: Uint8Array): boolean {
    const key = keyOf(payload)
    this.#waiting.get(key)?.resolve()
    return this.#waiting.delete(key)
  }

  /** Stops waiting. */
  remove({ payload }: PendingPing): void {
    this.#waiting.delete(keyOf(payload))
  }

  /** No more Pongs will arrive. */
  fail(error: DerpError): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

const keyOf = (payload: Uint8Array): bigint => new DataView(payload.buffer, payload.byteOffset).getBigUint64(0)
