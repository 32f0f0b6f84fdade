/**
 * Parses the request of a DERP client from the first bytes of a socket (P-120).
 *
 * Such clients send one request, a few lines in one piece; creating the parser, request and headers of `node:http` for it
 * is a good part of the cost of a login. For anything that is not exactly such a request the result is undefined, and
 * `node:http` decides.
 */

import { BoundedMemo } from '../lib/collections/bounded-memo.ts'
import type { HttpHeaders } from './http-service.ts'

/** The headers of a request, and the bytes after it. */
export interface EarlyUpgrade {
  readonly headers: HttpHeaders
  readonly head: Uint8Array
}

const REQUEST_LINE = 'GET /derp HTTP/1.1\r\n'
const BLANK_LINE = '\r\n\r\n'
const FIELD = /^([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)$/
/** Requests with a body, or that expect an interim response, are left to `node:http`. */
const ABOUT_BODIES = ['content-length', 'transfer-encoding', 'expect', 'trailer'] as const
/** Maximum bytes of a head; those of clients have some 200. */
const MAX_HEAD_BYTES = 2_048
/** Cached heads. */
const MAX_KNOWN = 64

/** Clients of one release send the same head, so each is parsed once. */
export class UpgradeHeadReader {
  readonly #maxBytes: number
  readonly #known = new BoundedMemo<HttpHeaders>(MAX_KNOWN)

  /** @param maxBytes overall limit for heads. */
  constructor(maxBytes: number = MAX_HEAD_BYTES) {
    this.#maxBytes = Math.min(maxBytes, MAX_HEAD_BYTES)
  }

  /** Number of cached heads. */
  get size(): number {
    return this.#known.size
  }

  read(chunk: Buffer): EarlyUpgrade | undefined {
    // One letter distinguishes most other requests.
    if (chunk[0] !== REQUEST_LINE.charCodeAt(0)) return undefined
    const end = chunk.indexOf(BLANK_LINE)
    if (end === -1 || end + BLANK_LINE.length > this.#maxBytes) return undefined
    const headers = this.#headersOf(chunk.toString('latin1', 0, end))
    if (headers === undefined) return undefined
    return { headers, head: chunk.subarray(end + BLANK_LINE.length) }
  }

  #headersOf(text: string): HttpHeaders | undefined {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    if (!text.startsWith(REQUEST_LINE)) return undefined
    const headers = readFields(text.slice(REQUEST_LINE.length))
    if (headers === undefined || !asksForDerp(headers)) return undefined
    // Tokens are secrets and are never cached.
    if (headers['authorization'] !== undefined) return headers
    this.#known.set(text, headers)
    return headers
  }
}

/** Undefined for anything but the simplest lines, and for a repeated header. */
function readFields(lines: string): HttpHeaders | undefined {
  const headers: Record<string, [string]> = {}
  for (const line of lines.split('\r\n')) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? []
    const key = name.toLowerCase()
    if (key === '' || Object.hasOwn(headers, key)) return undefined
    headers[key] = [value]
  }
  return headers
}

function asksForDerp(headers: HttpHeaders): boolean {
  return (
    headers['upgrade']?.[0]?.toLowerCase() === 'derp' &&
    headers['connection']?.[0]?.toLowerCase() === 'upgrade' &&
    headers['host'] !== undefined &&
    ABOUT_BODIES.every(name => headers[name] === undefined)
  )
}
