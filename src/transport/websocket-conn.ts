/**
 * A {@link Conn} over a WebSocket: messages are pieces of a stream, independent of frames (P-151).
 *
 * Accepts the platform's WebSocket and anything of the same shape, which may offer more.
 * Clauses: P-151 messages, P-152 size.
 */

import type { AddressPort } from '../lib/address-port.ts'
import { concatBytes } from '../lib/bytes.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Conn, ConnHandler } from './conn.ts'

/**
 * Maximum bytes of a sent message. The original's relays and clients close on longer messages.
 */
export const MAX_SENT_MESSAGE_BYTES = 32_768
/** Bytes that may be buffered by a WebSocket that does not report when they have been sent. */
const MAX_UNREPORTED_BYTES = 262_144
/** Milliseconds between polls of the buffered amount. */
const LOOK_INTERVAL_MS = 10

const CLOSE_NORMAL = 1000
const CLOSE_GOING_AWAY = 1001
const CLOSE_UNSUPPORTED_DATA = 1003
/** Reported for a close without a code. */
const CLOSE_NO_STATUS = 1005
const ORDERLY_CLOSES: readonly number[] = [CLOSE_NORMAL, CLOSE_GOING_AWAY, CLOSE_NO_STATUS]

/** The required part of an open WebSocket. */
export interface WebSocketShape {
  binaryType: string
  readonly bufferedAmount: number
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void
  addEventListener(type: 'error', listener: (event: { readonly message?: string }) => void): void
  /** Stops reading, if the platform can. */
  pause?(): void
  resume?(): void
}

export interface WebSocketConnOptions {
  readonly remote?: AddressPort | undefined
  readonly local?: AddressPort | undefined
  readonly clock?: Clock
  /** Sends a message and reports when it has been sent, if the platform can; `done` is not called before it returns. */
  readonly send?: (message: Uint8Array, done: (error?: Error) => void) => void
  /** What stops and starts reading. Default: the WebSocket itself, if the platform can. */
  readonly flow?: { pause(): void; resume(): void }
}

export class WebSocketConn implements Conn {
  readonly remote: AddressPort | undefined
  readonly local: AddressPort | undefined
  readonly #socket: WebSocketShape
  readonly #clock: Clock
  readonly #send: (message: Uint8Array, done: (error?: Error) => void) => void
  readonly #flow: { pause?(): void; resume?(): void }
  #handler: ConnHandler | undefined
  #paused = false
  /** Messages received while not reading. */
  #inbox: Uint8Array[] = []
  #delivering = false
  /** Writes to report once the platform buffers less. */
  readonly #waiting: ((error?: Error) => void)[] = []
  /** A timer will report them. */
  #isPolling = false
  #failure: Error | undefined
  /** The other side or the platform has ended the connection. */
  #ended = false
  /** The handler has been notified, or is about to be. */
  #closed = false

  constructor(socket: WebSocketShape, options: WebSocketConnOptions = {}) {
    this.#socket = socket
    this.#clock = options.clock ?? systemClock
    this.#send = options.send ?? ((message, done) => this.#sendUnreported(message, done))
    this.#flow = options.flow ?? socket
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
    this.#flow.pause?.()
  }

  resume(): void {
    this.#paused = false
    this.#flow.resume?.()
    this.#schedule()
  }

  /** A ping or pong has arrived. */
  noteControl(): void {
    if (!this.#closed) this.#handler?.onEmpty?.()
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    if (this.#closed || this.#ended) {
      this.#reportLater(done)
      return
    }
    const bytes = chunks.length === 1 ? (chunks[0] as Uint8Array) : concatBytes(chunks)
    let start = 0
    for (; bytes.length - start > MAX_SENT_MESSAGE_BYTES; start += MAX_SENT_MESSAGE_BYTES) {
      this.#send(bytes.subarray(start, start + MAX_SENT_MESSAGE_BYTES), () => {})
    }
    // Messages are sent in order: once the last one is sent or has failed, so are those before it.
    this.#send(start === 0 ? bytes : bytes.subarray(start), done)
  }

  destroy(): void {
    this.#close(undefined)
    this.#socket.close(CLOSE_NORMAL)
  }

  end(): void {
    this.#socket.close(CLOSE_NORMAL)
    // The other side's close arrives after what it sent before.
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
    this.#report()
  }

  #refuseText(): void {
    this.#close(new Error('read from WebSocket: a message is not binary'))
    try {
      this.#socket.close(CLOSE_UNSUPPORTED_DATA, 'binary messages only')
    } catch {
      // Browsers do not allow pages to use this code.
      this.#socket.close()
    }
  }

  #onEnd(code: number): void {
    this.#ended = true
    if (!ORDERLY_CLOSES.includes(code)) this.#failure ??= new Error(`WebSocket closed with code ${code}`)
    this.#report()
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
      else this.#handler?.onEmpty?.()
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
    // Frames never lie in shared memory, which platforms do not take.
    this.#socket.send(message as Uint8Array<ArrayBuffer>)
    this.#reportLater(done)
  }

  #reportLater(done: (error?: Error) => void): void {
    this.#waiting.push(done)
    queueMicrotask(() => this.#report())
  }

  /**
   * Reports what has been sent, as far as the platform tells; otherwise tries again after a while.
   *
   * Also called for each message: browsers delay the timers of hidden pages by up to a minute, but not the network.
   */
  #report(): void {
    const isOver = this.#closed || this.#ended
    if (isOver || this.#socket.bufferedAmount <= MAX_UNREPORTED_BYTES) {
      for (const done of this.#waiting.splice(0)) done(isOver ? new Error('WebSocket closed') : undefined)
    } else if (!this.#isPolling) {
      this.#isPolling = true
      this.#clock.after(LOOK_INTERVAL_MS, () => {
        this.#isPolling = false
        this.#report()
      })
    }
  }
}
