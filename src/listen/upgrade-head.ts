/**
 * Reads the request of a client of DERP from what the socket gave first (P-120).
 *
 * Such clients ask for one thing, in a few lines that come at once; making a parser, a request and its headers for them
 * as `node:http` does is a good part of what a login costs. What is not exactly such a request is none of this reader's
 * business: it answers undefined, and `node:http` decides.
 */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** As much of a request as an upgrade looks at; those of `node:http` have it too. */
export type UpgradeHead = Pick<
  IncomingMessage,
  'method' | 'url' | 'httpVersionMajor' | 'httpVersionMinor' | 'headers' | 'headersDistinct' | 'socket'
>

/** A request, and what came behind it. */
export interface EarlyUpgrade {
  readonly request: UpgradeHead
  readonly head: Uint8Array
}

const REQUEST_LINE = 'GET /derp HTTP/1.1\r\n'
const BLANK_LINE = '\r\n\r\n'
const FIELD = /^([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)$/
/** A body, or an answer before it, is for `node:http` to see to. */
const ABOUT_BODIES = ['content-length', 'transfer-encoding', 'expect', 'trailer'] as const
/** Bytes of a head; those of clients have some 200. */
const MAX_HEAD_BYTES = 2_048
/** Heads that are kept; then all are forgotten, so that nobody fills memory with what he makes up. */
const MAX_KNOWN = 64

type Headers = Readonly<Record<string, string>>

/** Clients of one release send the same head, so each is read once. */
export class UpgradeHeadReader {
  readonly #maxBytes: number
  readonly #known = new Map<string, Headers>()

  /** @param maxBytes most that a head may have anyway. */
  constructor(maxBytes: number = MAX_HEAD_BYTES) {
    this.#maxBytes = Math.min(maxBytes, MAX_HEAD_BYTES)
  }

  /** Heads that are kept. */
  get size(): number {
    return this.#known.size
  }

  read(chunk: Buffer, socket: Socket): EarlyUpgrade | undefined {
    // A letter tells most other requests apart.
    if (chunk[0] !== REQUEST_LINE.charCodeAt(0)) return undefined
    const end = chunk.indexOf(BLANK_LINE)
    if (end === -1 || end + BLANK_LINE.length > this.#maxBytes) return undefined
    const headers = this.#headersOf(chunk.toString('latin1', 0, end))
    if (headers === undefined) return undefined
    return { request: new EarlyRequest(headers, socket), head: chunk.subarray(end + BLANK_LINE.length) }
  }

  #headersOf(text: string): Headers | undefined {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    if (!text.startsWith(REQUEST_LINE)) return undefined
    const headers = readFields(text.slice(REQUEST_LINE.length))
    if (headers === undefined || !asksForDerp(headers)) return undefined
    // Tokens are secrets, and stay nowhere.
    if (headers['authorization'] !== undefined) return headers
    if (this.#known.size === MAX_KNOWN) this.#known.clear()
    this.#known.set(text, headers)
    return headers
  }
}

/** Undefined for a line that is not as simple as can be, and for a name that comes twice. */
function readFields(lines: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {}
  for (const line of lines.split('\r\n')) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? []
    const key = name.toLowerCase()
    if (key === '' || Object.hasOwn(headers, key)) return undefined
    headers[key] = value
  }
  return headers
}

function asksForDerp(headers: Headers): boolean {
  return (
    headers['upgrade']?.toLowerCase() === 'derp' &&
    headers['connection']?.toLowerCase() === 'upgrade' &&
    headers['host'] !== undefined &&
    ABOUT_BODIES.every(name => headers[name] === undefined)
  )
}

class EarlyRequest implements UpgradeHead {
  readonly method = 'GET'
  readonly url = '/derp'
  readonly httpVersionMajor = 1
  readonly httpVersionMinor = 1
  readonly headers: Headers
  readonly socket: Socket
  #distinct: Record<string, string[]> | undefined

  constructor(headers: Headers, socket: Socket) {
    this.headers = headers
    this.socket = socket
  }

  get headersDistinct(): Record<string, string[]> {
    this.#distinct ??= Object.fromEntries(Object.entries(this.headers).map(([name, value]) => [name, [value]]))
    return this.#distinct
  }
}
