/**
 * Incremental parser for the response to an upgrade request (P-121). Pure.
 *
 * A 101 may be followed by DERP bytes immediately. For any other response, the start of the body is kept for the error.
 */

import { decodeUtf8, EMPTY_BYTES } from '../../lib/bytes.ts'
import { DerpError, ProtocolError } from '../../lib/derp-error.ts'
import { oneLine } from '../../lib/one-line.ts'
import { ResponseHeadReader } from './response-head.ts'

/** Maximum bytes kept of a refusal's body, chunk lines included. */
const MAX_REFUSAL_BODY_LENGTH = 1 << 10
/** Where relays are. */
const DERP_PATH = '/derp'
const WEB_PAGE = /^<(?:!doctype|html|head|body|\?xml|!--)/i
/** Maximum characters of it in an error message. */
const MAX_EXCERPT_LENGTH = 200

/**
 * The relay, or something in its place, does not upgrade.
 *
 * @example
 * ```ts
 * await new Client(privateKey, url).connect().catch(error => {
 *   if (error instanceof UpgradeRefusedError) console.log(error.status, error.message)
 * })
 * ```
 */
export class UpgradeRefusedError extends DerpError {
  /** HTTP status. */
  readonly status: number
  /** Start of the body, on one line. */
  readonly excerpt: string

  /** @param path that was asked for, if known. @internal */
  constructor(status: number, excerpt: string, path?: string) {
    const action = `upgrade connection to DERP: refused with status ${status}`
    super('ERR_DERP_UPGRADE_REFUSED', `${action}${explain(status, excerpt, path)}`, { clause: 'P-213' })
    this.status = status
    this.excerpt = excerpt
  }
}

/** What the body says. Of a web page only that there is one: it explains nothing. */
function explain(status: number, excerpt: string, path: string | undefined): string {
  const isPage = WEB_PAGE.test(excerpt)
  if (!isPage && status !== 200 && status !== 404) return excerpt === '' ? '' : `: ${excerpt}`
  const shown = excerpt === '' ? '' : ` (${excerpt})`
  const isOther = path !== undefined && path !== DERP_PATH
  const reason = isOther
    ? `the path is ${path}, that of a relay is usually ${DERP_PATH}`
    : 'a web server, or a proxy without upgrades, is there'
  return `${isPage ? ' and a web page' : shown}: ${reason}`
}

export class UpgradeResponse {
  readonly #path: string | undefined
  readonly #closedHint: string
  readonly #head = new ResponseHeadReader(malformed)
  #refusal: Refusal | undefined

  /**
   * @param path that was asked for, for the error of a refusal.
   * @param closedHint appended to the error of a connection that closes without a response.
   */
  constructor(path?: string, closedHint = '') {
    this.#path = path
    this.#closedHint = closedHint
  }

  /** Whether the answer is known to be a refusal, of which only the body is missing. */
  get isRefusal(): boolean {
    return this.#refusal !== undefined
  }

  /**
   * Adds bytes.
   *
   * @returns what follows the head of a 101; undefined if more is needed.
   * @throws UpgradeRefusedError for another status, ProtocolError for anything but HTTP.
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#refusal !== undefined) {
      this.#refusal.push(chunk)
      return undefined
    }
    const head = this.#head.push(chunk)
    if (head === undefined) return undefined
    if (head.status === 101) return head.rest
    this.#refusal = new Refusal(head.status, head.headers, this.#path)
    this.#refusal.push(head.rest)
    return undefined
  }

  /** No more bytes will arrive. @throws always. */
  end(): never {
    this.#refusal?.end()
    const when = this.#head.isEmpty ? `without a response${this.#closedHint}` : 'in the middle of the response'
    throw new DerpError('ERR_DERP_CONN_CLOSED', `read upgrade response: connection closed ${when}`)
  }
}

/** Collects the start of a refusal's body, until there is enough or it ends. */
class Refusal {
  readonly #status: number
  readonly #isChunked: boolean
  readonly #wantedLength: number
  readonly #path: string | undefined
  #body: Uint8Array = EMPTY_BYTES

  constructor(status: number, headers: ReadonlyMap<string, string>, path: string | undefined) {
    this.#path = path
    this.#status = status
    this.#isChunked = headers.get('transfer-encoding')?.toLowerCase() === 'chunked'
    const hasBody = status >= 200 && status !== 204 && status !== 304
    const announced = /^\d+$/.exec(headers.get('content-length') ?? '')?.[0] ?? MAX_REFUSAL_BODY_LENGTH
    this.#wantedLength = hasBody ? Math.min(Number(announced), MAX_REFUSAL_BODY_LENGTH) : 0
  }

  /** @throws UpgradeRefusedError once there is enough of the body. */
  push(chunk: Uint8Array): void {
    const count = Math.min(chunk.length, this.#wantedLength - this.#body.length)
    const body = new Uint8Array(this.#body.length + count)
    body.set(this.#body)
    body.set(chunk.subarray(0, count), this.#body.length)
    this.#body = body
    const isOver = this.#isChunked && endOfChunks(decodeUtf8(body)) >= 0
    if (isOver || body.length === this.#wantedLength) this.end()
  }

  /** @throws UpgradeRefusedError */
  end(): never {
    const text = decodeUtf8(this.#body)
    const plain = this.#isChunked ? joinChunks(text) : text
    throw new UpgradeRefusedError(this.#status, oneLine(plain, MAX_EXCERPT_LENGTH), this.#path)
  }
}

/** Where the last chunk begins, which is empty; -1 if it has not come. */
function endOfChunks(text: string): number {
  return `\r\n${text}`.indexOf('\r\n0\r\n\r\n')
}

/** The text without chunk size lines: close enough for an error message. */
function joinChunks(text: string): string {
  const end = endOfChunks(text)
  return text.slice(0, end < 0 ? text.length : end).replace(/(^|\r\n)[0-9a-fA-F]+(;[^\r\n]*)?\r\n/g, '')
}

function malformed(reason: string): ProtocolError {
  return new ProtocolError('ERR_DERP_UPGRADE_MALFORMED', `read upgrade response: ${reason}`, { clause: 'P-121' })
}
