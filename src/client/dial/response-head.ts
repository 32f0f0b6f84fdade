/** Incremental parser for the status line and headers of an HTTP response. Pure. */

import { decodeUtf8 } from '../../lib/bytes.ts'
import type { DerpError } from '../../lib/derp-error.ts'
import { oneLine } from '../../lib/one-line.ts'

/** Maximum bytes of status line and headers. */
export const MAX_RESPONSE_HEAD_LENGTH: number = 16 << 10

export const HTTP_PREFIX = 'HTTP/1.'

export interface ResponseHead {
  readonly status: number
  /** By lower-case name; the last of repeated ones. */
  readonly headers: ReadonlyMap<string, string>
  /** Bytes of the last chunk after the head. */
  readonly rest: Uint8Array
}

/** Collects the head of one response. */
export class ResponseHeadReader {
  readonly #malformed: (reason: string) => DerpError
  readonly #head = new Uint8Array(MAX_RESPONSE_HEAD_LENGTH)
  #length = 0

  /** @param malformed creates the error for bytes that are not an HTTP response. */
  constructor(malformed: (reason: string) => DerpError) {
    this.#malformed = malformed
  }

  /** Whether nothing has arrived. */
  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** Adds bytes; returns the head once complete. */
  push(chunk: Uint8Array): ResponseHead | undefined {
    const consumed = this.#take(chunk)
    if (consumed === undefined) return undefined
    return { ...this.#parse(), rest: chunk.subarray(consumed) }
  }

  /** How many bytes of `chunk` belong to the head; undefined if it continues. */
  #take(chunk: Uint8Array): number | undefined {
    const head = this.#head
    for (let i = 0; i < chunk.length; i++) {
      const at = this.#length
      if (at === head.length) throw this.#malformed(`head is longer than ${head.length} bytes`)
      head[at] = chunk[i] as number
      this.#length = at + 1
      if (at < HTTP_PREFIX.length && head[at] !== HTTP_PREFIX.charCodeAt(at)) {
        throw this.#malformed('not an HTTP response')
      }
      // CR LF CR LF
      if (head[at] === 10 && head[at - 1] === 13 && head[at - 2] === 10 && head[at - 3] === 13) return i + 1
    }
    return undefined
  }

  #parse(): Omit<ResponseHead, 'rest'> {
    const [statusLine = '', ...lines] = decodeUtf8(this.#head.subarray(0, this.#length)).split('\r\n')
    const status = /^HTTP\/1\.[01] (\d{3})( |$)/.exec(statusLine)?.[1]
    if (status === undefined) throw this.#malformed(`invalid status line ${JSON.stringify(oneLine(statusLine, 80))}`)
    const headers = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    return { status: Number(status), headers }
  }
}
