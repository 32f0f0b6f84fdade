/** One HTTP request over a connection; the outcome is a response, other bytes, or a close. */

import { type ResponseHead, ResponseHeadReader } from '../client/dial/response-head.ts'
import { abortedError, onAbort } from '../lib/abort.ts'
import type { AddressPort } from '../lib/address-port.ts'
import { concatBytes, copyBytes, decodeUtf8, EMPTY_BYTES, encodeUtf8 } from '../lib/bytes.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { Conn, ConnHandler } from '../transport/conn.ts'

/** Limit for a body, or for data that is not HTTP. */
const MAX_BODY_BYTES = 2 << 10
/** Milliseconds to wait for a body, which is only shown as an explanation. */
const BODY_TIMEOUT_MS = 1_000

export type HttpOutcome =
  | HttpResponse
  /** The peer does not speak HTTP. */
  | { readonly kind: 'other'; readonly bytes: Uint8Array }
  /** The connection was closed before a response. */
  | { readonly kind: 'closed'; readonly error: Error | undefined }

export interface HttpResponse {
  readonly kind: 'response'
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  /** Start of the body on one line; empty for a 101. */
  readonly text: string
  /** For a 101: the connection; it first delivers the bytes received after the response. */
  readonly conn: Conn
}

/** A GET request that closes the connection after the response. */
export function formatGet(url: URL, headers: Readonly<Record<string, string>> = {}): Uint8Array {
  const all = { Host: url.host, 'User-Agent': 'derphttp', Connection: 'close', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return encodeUtf8(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

/** Sends `request` and reads the response. The connection is destroyed unless the outcome is a 101. */
export function exchange(conn: Conn, request: Uint8Array, clock: Clock, signal: AbortSignal): Promise<HttpOutcome> {
  return new HttpExchange(conn, clock).run(request, signal)
}

class HttpExchange implements ConnHandler {
  readonly #conn: Conn
  readonly #clock: Clock
  readonly #outcome = Promise.withResolvers<HttpOutcome>()
  readonly #head = new ResponseHeadReader(reason => new DerpError('ERR_DERP_UPGRADE_MALFORMED', reason))
  #response: ResponseHead | undefined
  #received: Uint8Array = EMPTY_BYTES
  #timer: Timer | undefined

  constructor(conn: Conn, clock: Clock) {
    this.#conn = conn
    this.#clock = clock
  }

  async run(request: Uint8Array, signal: AbortSignal): Promise<HttpOutcome> {
    const stopListening = onAbort(signal, aborted => this.#outcome.reject(abortedError('await response', aborted)))
    this.#conn.open(this)
    this.#conn.write([request], () => {})
    let isKept = false
    try {
      const outcome = await this.#outcome.promise
      isKept = outcome.kind === 'response' && outcome.status === 101
      return outcome
    } finally {
      stopListening()
      this.#timer?.cancel()
      if (!isKept) this.#conn.destroy()
    }
  }

  onData(chunk: Uint8Array): void {
    if (this.#received.length >= MAX_BODY_BYTES) return
    this.#received = concatBytes([this.#received, copyBytes(chunk)])
    if (this.#response === undefined) this.#readHead(chunk)
    else if (this.#isBodyComplete()) this.#finish()
  }

  onClose(error?: Error): void {
    if (this.#response === undefined) this.#outcome.resolve({ kind: 'closed', error })
    else this.#finish()
  }

  #readHead(chunk: Uint8Array): void {
    let head: ResponseHead | undefined
    try {
      head = this.#head.push(chunk)
    } catch {
      this.#outcome.resolve({ kind: 'other', bytes: this.#received })
      return
    }
    if (head === undefined) return
    this.#response = head
    this.#received = head.rest
    if (head.status === 101 || this.#isBodyComplete()) this.#finish()
    else this.#timer = this.#clock.after(BODY_TIMEOUT_MS, () => this.#finish())
  }

  #isBodyComplete(): boolean {
    const headers = this.#response?.headers
    if (this.#received.length >= MAX_BODY_BYTES) return true
    if (headers?.get('transfer-encoding') !== undefined) return decodeUtf8(this.#received).endsWith('0\r\n\r\n')
    const length = headers?.get('content-length')
    return length !== undefined && this.#received.length >= Number(length)
  }

  #finish(): void {
    if (this.#response === undefined) return
    const { status, headers } = this.#response
    const isUpgraded = status === 101
    const text = isUpgraded ? '' : decodeUtf8(this.#received).replace(/\s+/g, ' ').trim()
    const conn = isUpgraded ? new ReplayingConn(this.#conn, this.#received) : this.#conn
    this.#outcome.resolve({ kind: 'response', status, headers, text, conn })
  }
}

/** A connection that buffers received data until it is opened. */
class ReplayingConn implements Conn, ConnHandler {
  readonly #conn: Conn
  #early: Uint8Array[]
  #end: { readonly error: Error | undefined } | undefined
  #handler: ConnHandler | undefined

  constructor(conn: Conn, first: Uint8Array) {
    this.#conn = conn
    this.#early = first.length === 0 ? [] : [first]
    conn.pause()
    conn.open(this)
  }

  get remote(): AddressPort | undefined {
    return this.#conn.remote
  }

  get local(): AddressPort | undefined {
    return this.#conn.local
  }

  open(handler: ConnHandler): void {
    this.#handler = handler
    for (const chunk of this.#early.splice(0)) handler.onData(chunk)
    if (this.#end === undefined) this.#conn.resume()
    else handler.onClose(this.#end.error)
  }

  onData(chunk: Uint8Array): void {
    if (this.#handler === undefined) this.#early.push(chunk)
    else this.#handler.onData(chunk)
  }

  onClose(error?: Error): void {
    this.#end = { error }
    this.#handler?.onClose(error)
  }

  pause(): void {
    this.#conn.pause()
  }

  resume(): void {
    this.#conn.resume()
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    this.#conn.write(chunks, done)
  }

  destroy(): void {
    this.#conn.destroy()
  }

  end(): void {
    this.#conn.end()
  }
}
