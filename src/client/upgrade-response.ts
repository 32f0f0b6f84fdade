/**
 * The answer to an upgrade request (P-121), read as it comes. Pure.
 *
 * A 101 may be followed by DERP bytes at once. Of any other answer the beginning of the body is kept for the error.
 */

import { decodeUtf8, EMPTY_BYTES } from '../lib/bytes.ts'
import { DerpError, ProtocolError } from '../lib/derp-error.ts'

/** Most bytes of status line and headers. */
export const MAX_RESPONSE_HEAD_LENGTH: number = 16 << 10
/** Most bytes kept of the body of a refusal, chunk lines included. */
const MAX_REFUSAL_BODY_LENGTH = 1 << 10
/** Most characters of it that are told. */
const MAX_EXCERPT_LENGTH = 200

const HTTP_PREFIX = 'HTTP/1.'

/** The relay, or what stands in for it, does not upgrade. */
export class UpgradeRefusedError extends DerpError {
  /** HTTP status. */
  readonly status: number
  /** Beginning of the body, on one line. */
  readonly excerpt: string

  constructor(status: number, excerpt: string) {
    super(
      'ERR_DERP_UPGRADE_REFUSED',
      `upgrade connection to DERP: refused with status ${status}${excerpt === '' ? '' : `: ${excerpt}`}`,
      { clause: 'P-213' },
    )
    this.status = status
    this.excerpt = excerpt
  }
}

export class UpgradeResponse {
  readonly #head = new Uint8Array(MAX_RESPONSE_HEAD_LENGTH)
  #headLength = 0
  #refusal: Refusal | undefined

  /**
   * Takes the next bytes.
   *
   * @returns what follows the head of a 101; undefined when more is needed.
   * @throws UpgradeRefusedError for another status, ProtocolError for what is no HTTP response.
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#refusal !== undefined) {
      this.#refusal.push(chunk)
      return undefined
    }
    const consumed = this.#takeHead(chunk)
    if (consumed === undefined) return undefined
    const rest = chunk.subarray(consumed)
    const { status, headers } = parseHead(decodeUtf8(this.#head.subarray(0, this.#headLength)))
    if (status === 101) return rest
    this.#refusal = new Refusal(status, headers)
    this.#refusal.push(rest)
    return undefined
  }

  /** The stream has ended. @throws always. */
  end(): never {
    this.#refusal?.end()
    const when = this.#headLength === 0 ? 'without a response' : 'in the middle of the response'
    throw new DerpError('ERR_DERP_CONN_CLOSED', `read upgrade response: connection closed ${when}`)
  }

  /** Gathers the head; gives how many bytes of `chunk` belong to it, or undefined when it goes on. */
  #takeHead(chunk: Uint8Array): number | undefined {
    const head = this.#head
    for (let i = 0; i < chunk.length; i++) {
      const at = this.#headLength
      if (at === head.length) throw malformed(`head is longer than ${head.length} bytes`)
      head[at] = chunk[i] as number
      this.#headLength = at + 1
      if (at < HTTP_PREFIX.length && head[at] !== HTTP_PREFIX.charCodeAt(at)) throw malformed('not an HTTP response')
      // CR LF CR LF
      if (head[at] === 10 && head[at - 1] === 13 && head[at - 2] === 10 && head[at - 3] === 13) return i + 1
    }
    return undefined
  }
}

/** Gathers the beginning of a refusal's body, until there is enough of it or it is over. */
class Refusal {
  readonly #status: number
  readonly #isChunked: boolean
  readonly #wantedLength: number
  #body: Uint8Array = EMPTY_BYTES

  constructor(status: number, headers: ReadonlyMap<string, string>) {
    this.#status = status
    this.#isChunked = headers.get('transfer-encoding')?.toLowerCase() === 'chunked'
    const hasBody = status >= 200 && status !== 204 && status !== 304
    const announced = /^\d+$/.exec(headers.get('content-length') ?? '')?.[0] ?? MAX_REFUSAL_BODY_LENGTH
    this.#wantedLength = hasBody ? Math.min(Number(announced), MAX_REFUSAL_BODY_LENGTH) : 0
  }

  /** @throws UpgradeRefusedError once the body is here. */
  push(chunk: Uint8Array): void {
    const count = Math.min(chunk.length, this.#wantedLength - this.#body.length)
    const body = new Uint8Array(this.#body.length + count)
    body.set(this.#body)
    body.set(chunk.subarray(0, count), this.#body.length)
    this.#body = body
    const isOver = this.#isChunked && decodeUtf8(body).endsWith('\r\n0\r\n\r\n')
    if (isOver || body.length === this.#wantedLength) this.end()
  }

  /** @throws UpgradeRefusedError */
  end(): never {
    const text = decodeUtf8(this.#body)
    const plain = this.#isChunked ? joinChunks(text) : text
    throw new UpgradeRefusedError(
      this.#status,
      plain
        .replace(/[\p{C}\s]+/gu, ' ')
        .trim()
        .slice(0, MAX_EXCERPT_LENGTH),
    )
  }
}

/** The text without the lines that give the chunks' sizes: close enough for an error message. */
function joinChunks(text: string): string {
  return text.replace(/(^|\r\n)[0-9a-fA-F]+(;[^\r\n]*)?\r\n/g, '')
}

function parseHead(head: string): { status: number; headers: ReadonlyMap<string, string> } {
  const [statusLine = '', ...lines] = head.split('\r\n')
  const status = /^HTTP\/1\.[01] (\d{3})( |$)/.exec(statusLine)?.[1]
  if (status === undefined) throw malformed(`status line ${JSON.stringify(statusLine.slice(0, 80))} is none`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return { status: Number(status), headers }
}

function malformed(reason: string): ProtocolError {
  return new ProtocolError('ERR_DERP_UPGRADE_MALFORMED', `read upgrade response: ${reason}`, { clause: 'P-121' })
}
