/**
 * A connection to a relay whose key is known: the upgrade request leaves with the first write and no response is awaited.
 *
 * The first frame is checked in passing: its key must be the expected one. If the relay responds in HTTP after all, that
 * response is parsed.
 * Clauses: P-122 fast start, P-213 at the client.
 */

import type { NodePublicKey } from '../../keys/public-key.ts'
import type { AddressPort } from '../../lib/address-port.ts'
import { concatBytes, EMPTY_BYTES, encodeUtf8, equalBytes, readUint32 } from '../../lib/bytes.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH, MAGIC } from '../../protocol/constants.ts'
import { FrameType } from '../../protocol/frame-type.ts'
import type { Conn, ConnHandler } from '../../transport/conn.ts'
import { HTTP_PREFIX } from './response-head.ts'
import { UpgradeResponse } from './upgrade-response.ts'

const KEY_AT = FRAME_HEADER_LENGTH + MAGIC.length
/** Bytes needed to see the relay's key. */
const GREETING_LENGTH = KEY_AT + KEY_LENGTH
const HTTP_BYTES = encodeUtf8(HTTP_PREFIX)

export interface FastStart {
  /** Head of the upgrade request. */
  readonly request: Uint8Array
  /** The path in it. */
  readonly path: string
  /** The key that the relay must have. */
  readonly serverKey: NodePublicKey
  /** The relay has another key or refused: whatever supplied the key may be outdated. */
  readonly onMistaken: () => void
}

export class FastStartConn implements Conn, ConnHandler {
  readonly #conn: Conn
  readonly #start: FastStart
  #request: Uint8Array | undefined
  #handler: ConnHandler | undefined
  /** Bytes received until it is clear what they are. */
  #first: Uint8Array | undefined = EMPTY_BYTES
  #response: UpgradeResponse | undefined
  #error: DerpError | undefined

  constructor(conn: Conn, start: FastStart) {
    this.#conn = conn
    this.#start = start
    this.#request = start.request
  }

  get remote(): AddressPort | undefined {
    return this.#conn.remote
  }

  get local(): AddressPort | undefined {
    return this.#conn.local
  }

  open(handler: ConnHandler): void {
    const isFirst = this.#handler === undefined
    this.#handler = handler
    if (isFirst) this.#conn.open(this)
  }

  pause(): void {
    this.#conn.pause()
  }

  resume(): void {
    this.#conn.resume()
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    const request = this.#request
    this.#request = undefined
    this.#conn.write(request === undefined ? chunks : [request, ...chunks], done)
  }

  destroy(): void {
    this.#conn.destroy()
  }

  end(): void {
    this.#conn.end()
  }

  onData(chunk: Uint8Array): void {
    if (this.#error !== undefined) return
    if (this.#first === undefined && this.#response === undefined) {
      this.#handler?.onData(chunk)
      return
    }
    try {
      const passed = this.#response === undefined ? this.#lookAtFirst(chunk) : this.#readResponse(this.#response, chunk)
      if (passed.length > 0) this.#handler?.onData(passed)
    } catch (error) {
      if (!(error instanceof DerpError)) throw error
      this.#error = error
      this.#conn.destroy()
    }
  }

  onClose(error?: Error): void {
    const reason = this.#error ?? this.#refusalAtEnd()
    if (reason !== undefined || this.#first !== undefined) this.#start.onMistaken()
    this.#handler?.onClose(reason ?? error)
  }

  /** Returns what can be passed on. */
  #lookAtFirst(chunk: Uint8Array): Uint8Array {
    const first = this.#first?.length ? concatBytes([this.#first, chunk]) : chunk
    this.#first = first
    if (equalBytes(first.subarray(0, HTTP_BYTES.length), HTTP_BYTES)) {
      this.#first = undefined
      this.#response = new UpgradeResponse(this.#start.path)
      return this.#readResponse(this.#response, first)
    }
    const mayBeHttp = equalBytes(first, HTTP_BYTES.subarray(0, first.length))
    if (mayBeHttp || (mayBeGreeting(first) && first.length < GREETING_LENGTH)) return EMPTY_BYTES
    if (mayBeGreeting(first)) this.#checkKey(first.subarray(KEY_AT, GREETING_LENGTH))
    this.#first = undefined
    return first
  }

  #checkKey(key: Uint8Array): void {
    if (equalBytes(key, this.#start.serverKey.bytes)) return
    const expected = this.#start.serverKey.shortString()
    throw new DerpError('ERR_DERP_LOGIN_KEY_WRONG', `log in: relay does not have the expected key ${expected}`, {
      clause: 'P-213',
    })
  }

  /** Returns what follows a 101. @throws UpgradeRefusedError with as much of the body as arrived with the head. */
  #readResponse(response: UpgradeResponse, chunk: Uint8Array): Uint8Array {
    const rest = response.push(chunk)
    if (response.isRefusal) response.end()
    if (rest === undefined) return EMPTY_BYTES
    this.#response = undefined
    return rest
  }

  #refusalAtEnd(): DerpError | undefined {
    try {
      return this.#response?.end()
    } catch (error) {
      return error as DerpError
    }
  }
}

/** Whether the bytes so far can be a ServerKey frame; any other frame is left to the reader. */
function mayBeGreeting(bytes: Uint8Array): boolean {
  if (bytes.length > 0 && bytes[0] !== FrameType.ServerKey) return false
  if (bytes.length >= FRAME_HEADER_LENGTH && readUint32(bytes, 1) < MAGIC.length + KEY_LENGTH) return false
  const magic = bytes.subarray(FRAME_HEADER_LENGTH, KEY_AT)
  return equalBytes(magic, MAGIC.subarray(0, magic.length))
}
