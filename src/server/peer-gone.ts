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

/** Sources that a session remembers; a source beyond that displaces the oldest. Each takes some 150 bytes. */
export const MAX_SOURCES = 2_000
/** Sources that all sessions remember together, before each remembers no more than {@link MIN_SOURCES}. */
export const MAX_ALL_SOURCES = 1_000_000
export const MIN_SOURCES = 64

/** Bounds on remembered sources. */
export interface SourceBounds {
  readonly each: number
  readonly all: number
  readonly fewest: number
}

const BOUNDS: SourceBounds = { each: MAX_SOURCES, all: MAX_ALL_SOURCES, fewest: MIN_SOURCES }

/** The peers whose packets a client has received: it is told once when each leaves (P-062). */
export class SeenSources {
  #last: object | undefined
  readonly #keys = new KeyMap<true>()
  readonly #lookup = new KeyLookup(this.#keys)
  readonly #all: { count: number }
  readonly #bounds: SourceBounds

  /** @param all counts the sources of all sessions. */
  constructor(all: { count: number } = { count: 0 }, bounds: SourceBounds = BOUNDS) {
    this.#all = all
    this.#bounds = bounds
  }

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
    this.#makeRoom()
    this.#keys.set(key, true)
    this.#all.count++
    return key
  }

  /** The session has ended. */
  close(): void {
    this.#all.count -= this.#keys.size
  }

  /** A client that hears from a forgotten source again may be told of it twice. */
  #makeRoom(): void {
    const { each, all, fewest } = this.#bounds
    const most = this.#all.count < all ? each : fewest
    for (const [oldest] of this.#keys) {
      if (this.#keys.size < most) return
      this.#keys.delete(oldest)
      this.#all.count--
    }
  }
}
