/** A {@link Conn} over a WebSocket, as in browsers: each write is one binary message. */

import WebSocket from 'ws'
import type { AddressPort } from '../../src/lib/address-port.ts'
import type { Conn, ConnHandler } from '../../src/transport/conn.ts'

/** Longest message that the original reads. */
const MAX_MESSAGE_BYTES = 32 << 10

/** One end of a WebSocket as a connection. */
export class WebSocketClientConn implements Conn {
  readonly remote: AddressPort | undefined = undefined
  readonly local: AddressPort | undefined = undefined
  readonly #socket: WebSocket
  #handler: ConnHandler | undefined
  readonly #early: Uint8Array[] = []

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Uint8Array) => {
      if (this.#handler === undefined) this.#early.push(data)
      else this.#handler.onData(data)
    })
    socket.on('close', () => this.#handler?.onClose())
    socket.on('error', () => {})
  }

  open(handler: ConnHandler): void {
    this.#handler = handler
    for (const data of this.#early.splice(0)) handler.onData(data)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    const bytes = Buffer.concat(chunks)
    const last = Math.max(0, Math.ceil(bytes.length / MAX_MESSAGE_BYTES) - 1)
    for (let n = 0; n <= last; n++) {
      const message = bytes.subarray(n * MAX_MESSAGE_BYTES, (n + 1) * MAX_MESSAGE_BYTES)
      this.#socket.send(message, n === last ? error => done(error ?? undefined) : undefined)
    }
  }

  destroy(): void {
    this.#socket.terminate()
  }

  end(): void {
    this.#socket.close()
  }
}

/** Connects to a relay over WebSocket. */
export function dialWebSocket(
  url: URL,
  options: { readonly ca?: string | undefined; readonly headers?: Readonly<Record<string, string>> },
): Promise<Conn> {
  const target = new URL(url)
  target.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(target, 'derp', {
      perMessageDeflate: false,
      headers: { ...options.headers },
      ...(options.ca !== undefined && { ca: options.ca }),
    })
    const conn = new WebSocketClientConn(socket)
    socket.once('open', () => resolve(conn))
    socket.once('error', reject)
  })
}
