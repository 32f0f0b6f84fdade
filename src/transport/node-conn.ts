/**
 * A {@link Conn} over a TCP or TLS socket of Node.
 *
 * Plain sockets get all chunks in one `writev`. Over TLS every write becomes at least one record with a callback of
 * its own, so chunks are joined into pieces as large as a record first.
 */

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { AddressPort } from '../lib/address-port.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Conn, ConnHandler } from './conn.ts'

/** Payload bytes of the largest TLS record (RFC 8446, section 5.1). */
const TLS_RECORD_BYTES = 16 << 10
/** Milliseconds that the other side has to take the last bytes and to close. */
export const LINGER_MS = 1_000

export interface NodeConnOptions {
  /** Who is at the other end, if that is not the peer of the socket but somebody behind it. */
  readonly remote?: AddressPort | undefined
  readonly clock?: Clock
}

export class NodeConn implements Conn {
  readonly remote: AddressPort | undefined
  readonly local: AddressPort | undefined
  readonly #socket: Socket
  readonly #isTls: boolean
  readonly #clock: Clock
  #handler: ConnHandler | undefined
  #error: Error | undefined
  #closed = false

  /** @param head bytes that were read from the socket before it was handed over. */
  constructor(socket: Socket, head?: Uint8Array, { remote, clock = systemClock }: NodeConnOptions = {}) {
    this.#socket = socket
    this.#clock = clock
    this.#isTls = socket instanceof TLSSocket
    this.remote = remote ?? addressOf(socket.remoteAddress, socket.remotePort)
    this.local = addressOf(socket.localAddress, socket.localPort)
    if (head !== undefined && head.length > 0) socket.unshift(head)
    socket.on('error', error => {
      this.#error ??= error
    })
    socket.on('close', () => {
      this.#closed = true
      this.#handler?.onClose(this.#error)
    })
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
    const pieces = this.#isTls ? joinIntoRecords(chunks) : chunks
    const finish = (error?: Error | null) => done(error ?? undefined)
    const last = pieces.length - 1
    if (last > 0) socket.cork()
    for (let i = 0; i < last; i++) socket.write(pieces[i] as Uint8Array)
    socket.write(pieces[last] as Uint8Array, finish)
    if (last > 0) socket.uncork()
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

/** Joins small chunks into pieces of at most one record; chunks of at least a record are passed on as they are. */
function joinIntoRecords(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  if (chunks.length < 2) return chunks
  const pieces: Uint8Array[] = []
  let group: Uint8Array[] = []
  let size = 0
  const closeGroup = () => {
    if (group.length > 0) pieces.push(group.length === 1 ? (group[0] as Uint8Array) : Buffer.concat(group, size))
    group = []
    size = 0
  }
  for (const chunk of chunks) {
    if (size + chunk.length > TLS_RECORD_BYTES) closeGroup()
    group.push(chunk)
    size += chunk.length
  }
  closeGroup()
  return pieces
}

/** An address with its port, if both are known. */
export function addressOf(address: string | undefined, port: number | undefined): AddressPort | undefined {
  return address === undefined || port === undefined ? undefined : { address, port }
}
