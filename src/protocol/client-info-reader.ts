/**
 * Parses ClientInfo (P-033), caching identical texts: clients of one release differ only in their keys, and a relay has
 * many of them.
 */

import { decodeUtf8 } from '../lib/bytes.ts'
import { BoundedMemo } from '../lib/collections/bounded-memo.ts'
import { type ClientInfo, parseClientInfo } from './client-info.ts'

/** Cached texts. */
const MAX_KNOWN = 64
/** Longest text that is cached, in bytes. */
const MAX_KNOWN_BYTES = 256

export class ClientInfoReader {
  readonly #known = new BoundedMemo<ClientInfo>(MAX_KNOWN)

  /** Number of cached texts. */
  get size(): number {
    return this.#known.size
  }

  /** The result is shared between callers. @throws ProtocolError like `parseClientInfo`. */
  read(json: Uint8Array): ClientInfo {
    if (json.length > MAX_KNOWN_BYTES) return parseClientInfo(json)
    const text = decodeUtf8(json)
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const info = Object.freeze(parseClientInfo(json))
    // A mesh key is a secret and is never cached.
    if (info.meshKey !== undefined) return info
    this.#known.set(text, info)
    return info
  }
}
