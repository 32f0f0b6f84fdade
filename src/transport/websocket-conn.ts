/**
 * A {@link Conn} over a WebSocket: messages are pieces of a stream, whatever frames they hold (P-151).
 *
 * Takes the platform's own WebSocket, and what has the same shape; such a one may be able to do more.
 * Clauses: P-151 messages, P-152 size.
 */

import type { AddressPort } from '../lib/address-port.ts'
import { concatBytes } from '../lib/bytes.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Conn, ConnHandler } from './conn.ts'

/**
 * Most bytes of a message that is sent. Relays and clients of the original close when a message is longer, whichever
 * side they are on.
 */
export const MAX_SENT_MESSAGE_BYTES = 32_768
/** Bytes that may wait in a WebSocket which does not report when they have left. */
const MAX_UNREPORTED_BYTES = 65_536
/** Milliseconds between two looks at how many they are. */
const LOOK_INTERVAL_MS = 10

const CLOSE_NORMAL = 1000
const CLOSE_GOING_AWAY = 1001
const CLOSE_UNSUPPORTED_DATA = 1003
/** What a close without a code is reported as. */
const CLOSE_NO_STATUS = 1005
const ORDERLY_CLOSES: readonly number[] = [CLOSE_NORMAL, CLOSE_GOING_AWAY, CLOSE_NO_STATUS]

/** What is needed of a WebSocket that is open. */
export interface WebSocketShape {
  binaryType: string
  readonly bufferedAmount: number
  send(data: Uint8Array): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void
  addEventListener(type: 'error', listener: (event: { readonly message?: string }) => void): void
  /** Stops reading, where the platform can. */
  pause?(): void
  resume?(): void
}

export interface WebSocketConnOptions {
  readonly remote?: AddressPort | undefined
  readonly local?: AddressPort | undefined
  readonly clock?: Clock
  /** Sends a message and reports when it has left, where the platform can; `done` is not called before it returns. */
  readonly send?: (message: Uint8Array, done: (error?: Error) => void) => void
}

export class WebSocketConn implements Conn {
  readonly remote: AddressPort | undefined
  readonly local: AddressPort | undefined
  readonly #socket: WebSocketShape
  readonly #clock: Clock
  readonly #send: (message: Uint8Array, done: (error?: Error) => void) => void
  #handler: ConnHandler | undefined
  #paused = false
  /** Messages that came while nobody read. */
  #inbox: Uint8Array[] = []
  #delivering = false
  #failure: Error | undefined
  /** The other side, or the platform, has ended the connection. */
  #ended = false
  /** The handler has been told, or is about to be. */
  #closed = false

  constructor(socket: WebSocketShape, options: WebSocketConnOptions = {}) {
    this.#socket = socket
    this.#clock = options.clock ?? systemClock
    this.#send = options.send ?? ((message, done) => this.#sendUnreported(message, done))
    this.remote = options.remote
    this.local = options.local
    if (socket.binaryType === 'blob') socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', event => this.#onMessage(event.data))
    socket.addEventListener('error', event => {
      this.#failure ??= new Error(event.message ?? 'WebSocket failed')
    })
    socket.addEventListener('close', event => this.#onEnd(event.code))
  }

  open(handler: ConnHandler): void {
    this.#handler = handler
    this.#schedule()
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause?.()
  }

  resume(): void {
    this.#paused = false
    this.#socket.resume?.()
    this.#schedule()
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    if (this.#closed || this.#ended) {
      queueMicrotask(() => done(new Error('write to WebSocket: closed')))
      return
    }
    const bytes = chunks.length === 1 ? (chunks[0] as Uint8Array) : concatBytes(chunks)
    let start = 0
    for (; bytes.length - start > MAX_SENT_MESSAGE_BYTES; start += MAX_SENT_MESSAGE_BYTES) {
      this.#send(bytes.subarray(start, start + MAX_SENT_MESSAGE_BYTES), () => {})
    }
    // Messages leave in order: when the last one has, or has failed, so have those before it.
    this.#send(start === 0 ? bytes : bytes.subarray(start), done)
  }

  destroy(): void {
    this.#close(undefined)
    this.#socket.close(CLOSE_NORMAL)
  }

  end(): void {
    this.#socket.close(CLOSE_NORMAL)
    // The other side's answer comes behind what it has sent before.
    this.resume()
  }

  #onMessage(data: unknown): void {
    if (this.#closed) return
    if (data instanceof Uint8Array) this.#inbox.push(data)
    else if (data instanceof ArrayBuffer) this.#inbox.push(new Uint8Array(data))
    else {
      this.#refuseText()
      return
    }
    if (!this.#delivering) this.#deliver()
  }

  #refuseText(): void {
    this.#close(new Error('read from WebSocket: a message is not binary'))
    try {
      this.#socket.close(CLOSE_UNSUPPORTED_DATA, 'binary messages only')
    } catch {
      // Browsers allow their pages no such code.
      this.#socket.close()
    }
  }

  #onEnd(code: number): void {
    this.#ended = true
    if (!ORDERLY_CLOSES.includes(code)) this.#failure ??= new Error(`WebSocket closed with code ${code}`)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#delivering) return
    this.#delivering = true
    queueMicrotask(() => {
      this.#delivering = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const handler = this.#handler
    if (handler === undefined) return
    while (!this.#paused && !this.#closed) {
      const message = this.#inbox.shift()
      if (message === undefined) break
      if (message.length > 0) this.#handler?.onData(message)
    }
    if (this.#ended && this.#inbox.length === 0) this.#close(this.#failure)
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#inbox = []
    queueMicrotask(() => this.#handler?.onClose(error))
  }

  #sendUnreported(message: Uint8Array, done: (error?: Error) => void): void {
    this.#socket.send(message)
    const look = () => {
      if (this.#ended) done(new Error('write to WebSocket: closed'))
      else if (this.#socket.bufferedAmount > MAX_UNREPORTED_BYTES) this.#clock.after(LOOK_INTERVAL_MS, look)
      else done()
    }
    queueMicrotask(look)
  }
}
