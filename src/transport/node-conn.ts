/**
 * A {@link Conn} over a TCP or TLS socket of Node.
 *
 * A socket takes one buffer for less than it takes several, and TLS would copy several once more, so that small chunks
 * are joined first. TLS makes as many records as it needs of what it is given at once.
 */

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { AddressPort } from '../lib/address-port.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Conn, ConnHandler } from './conn.ts'
import { type JoinedChunks, WriteSlabs } from './node-write-slabs.ts'

/** Over plain sockets, chunks that are larger on average are written as they are. */
const JOINED_CHUNK_BYTES = 4 << 10
/** Milliseconds that the other side has to take the last bytes and to close. */
export const LINGER_MS = 1_000

export interface NodeConnOptions {
  /** Who is at the other end, if that is not the peer of the socket but somebody behind it. */
  readonly remote?: AddressPort | undefined
  readonly clock?: Clock
}

const slabs = new WriteSlabs()

export class NodeConn implements Conn {
  readonly remote: AddressPort | undefined
  readonly #socket: Socket
  readonly #isTls: boolean
  readonly #clock: Clock
  #handler: ConnHandler | undefined
  #error: Error | undefined
  #closed = false
  /** Of the write that is under way. */
  #done: ((error?: Error) => void) | undefined
  #joined: JoinedChunks | undefined

  /** @param head bytes that were read from the socket before it was handed over. */
  constructor(socket: Socket, head?: Uint8Array, { remote, clock = systemClock }: NodeConnOptions = {}) {
    this.#socket = socket
    this.#clock = clock
    this.#isTls = socket instanceof TLSSocket
    this.remote = remote ?? addressOf(socket.remoteAddress, socket.remotePort)
    if (head !== undefined && head.length > 0) socket.unshift(head)
    socket.on('error', error => {
      this.#error ??= error
    })
    socket.on('close', () => {
      this.#closed = true
      this.#handler?.onClose(this.#error)
    })
  }

  get local(): AddressPort | undefined {
    return addressOf(this.#socket.localAddress, this.#socket.localPort)
  }

  open(handler: ConnHandler): void {
    const first = this.#handler === undefined
    this.#handler = handler
    if (!first) return
    if (this.#closed || this.#socket.destroyed) {
      this.#closed = true
      queueMicrotask(() => this.#handler?.onClose(this.#error))
      return
    }
    this.#socket.on('data', (chunk: Uint8Array) => this.#handler?.onData(chunk))
    // Sockets from an HTTP server allow half-open connections; the other end is done, and so are we.
    this.#socket.on('end', () => this.#socket.destroy())
    // Whoever read the head of the stream may have paused it.
    this.#socket.resume()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    const socket = this.#socket
    if (socket.destroyed) {
      queueMicrotask(() => done(this.#error ?? new Error('write to socket: closed')))
      return
    }
    this.#done = done
    const last = chunks.length - 1
    let total = 0
    for (const chunk of chunks) total += chunk.length
    if (last > 0 && (this.#isTls || total < JOINED_CHUNK_BYTES * chunks.length)) {
      this.#joined = slabs.join(chunks, total)
      socket.write(this.#joined.bytes, this.#onWritten)
      return
    }
    if (last > 0) socket.cork()
    for (let i = 0; i < last; i++) socket.write(chunks[i] as Uint8Array)
    socket.write(chunks[last] as Uint8Array, this.#onWritten)
    if (last > 0) socket.uncork()
  }

  readonly #onWritten = (error?: Error | null): void => {
    const done = this.#done
    this.#done = undefined
    if (this.#joined !== undefined) slabs.release(this.#joined)
    this.#joined = undefined
    done?.(error ?? undefined)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  end(): void {
    const socket = this.#socket
    if (socket.destroyed) return
    const linger = this.#clock.after(LINGER_MS, () => socket.destroy())
    socket.once('close', () => linger.cancel())
    socket.end()
    // Whoever closes with bytes unread resets the connection, and what was written last may be lost on its way.
    socket.resume()
  }
}

/** An address with its port, if both are known. */
export function addressOf(address: string | undefined, port: number | undefined): AddressPort | undefined {
  return address === undefined || port === undefined ? undefined : { address, port }
}
