/**
 * Reads what clients say of themselves (P-033), once for all that say the same: clients of one release differ in their
 * keys only, and a relay has many of them.
 */

import { decodeUtf8 } from '../lib/bytes.ts'
import { type ClientInfo, parseClientInfo } from './client-info.ts'

/** Texts that are kept; then all are forgotten, so that nobody fills memory with what he makes up. */
const MAX_KNOWN = 64
/** Bytes of the longest that is kept. */
const MAX_KNOWN_BYTES = 256

export class ClientInfoReader {
  readonly #known = new Map<string, ClientInfo>()

  /** Texts that are kept. */
  get size(): number {
    return this.#known.size
  }

  /** What was read is shared. @throws ProtocolError as `parseClientInfo` does. */
  read(json: Uint8Array): ClientInfo {
    if (json.length > MAX_KNOWN_BYTES) return parseClientInfo(json)
    const text = decodeUtf8(json)
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const info = Object.freeze(parseClientInfo(json))
    // A mesh key is a secret, and stays nowhere.
    if (info.meshKey !== undefined) return info
    if (this.#known.size === MAX_KNOWN) this.#known.clear()
    this.#known.set(text, info)
    return info
  }
}
