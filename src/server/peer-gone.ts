/** What a session must remember to tell its client rightly that peers are gone. */

import { KeyLookup, KeyMap } from '../keys/key-map.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import { TokenBucket } from '../lib/token-bucket.ts'
import { KEY_LENGTH } from '../protocol/constants.ts'

/** Not-here answers at once, and per second after that (P-061). */
const NOT_HERE = { burst: 3, perSecond: 1 } as const

/** How often a client is told that a peer is not here (P-061). */
export class NotHereLimit {
  #bucket: TokenBucket | undefined

  /** Reports whether one more answer may go out now. */
  allows(nowMs: number): boolean {
    this.#bucket ??= new TokenBucket(NOT_HERE, nowMs)
    return this.#bucket.tryTake(1, nowMs)
  }
}

/** The peers whose packets a client has been sent: it is told when they leave, once each (P-062). */
export class SeenSources {
  #last: object | undefined
  readonly #keys = new KeyMap<true>()
  readonly #lookup = new KeyLookup(this.#keys)

  /**
   * Notes the source whose key lies at `keyAt`.
   *
   * @param sender the session it comes from, so that a flow's key is not read again; undefined when it was forwarded.
   * @returns the key when it is new.
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
