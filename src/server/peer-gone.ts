/** What a session tracks in order to report departed peers correctly. */

import { KeyLookup, KeyMap } from '../keys/key-map.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import { TokenBucket } from '../lib/rate/token-bucket.ts'
import { KEY_LENGTH } from '../protocol/constants.ts'

/** Burst and rate of not-here replies (P-061). */
const NOT_HERE = { burst: 3, perSecond: 1 } as const

/** Limits how often a client is told that a peer is not here (P-061). */
export class NotHereLimit {
  #bucket: TokenBucket | undefined

  /** Whether another reply may be sent now. */
  allows(nowMs: number): boolean {
    this.#bucket ??= new TokenBucket(NOT_HERE, nowMs)
    return this.#bucket.tryTake(1, nowMs)
  }
}

/** The peers whose packets a client has received: it is told once when each leaves (P-062). */
export class SeenSources {
  #last: object | undefined
  readonly #keys = new KeyMap<true>()
  readonly #lookup = new KeyLookup(this.#keys)

  /**
   * Notes the source whose key is at `keyAt`.
   *
   * @param sender the session it comes from, so that the key is read once per flow; undefined if forwarded.
   * @returns the key if it is new.
   */
  note(sender: object | undefined, buffer: Uint8Array, keyAt: number): NodePublicKey | undefined {
    if (sender !== undefined && sender === this.#last) return undefined
    this.#last = sender
    if (this.#lookup.get(buffer, keyAt) === true) return undefined
    const key = NodePublicKey.fromBytes(buffer.subarray(keyAt, keyAt + KEY_LENGTH))
    this.#keys.set(key, true)
    return key
  }
}
