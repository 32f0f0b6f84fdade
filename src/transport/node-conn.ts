/**
 * A {@link Conn} over a TCP or TLS socket of Node.
 *
 * A socket takes one buffer for less than it takes several, and TLS would copy several once more, so that small chunks
 * are joined first. TLS makes as many records as it needs of what it is given at once.
 *
 * Per read and per write the queues of Node's streams cost more than what the relay does itself. A socket's are gone
 * past where they are empty, by methods that the contract of streams names. Other streams, as dialers may give them,
 * are used in the ordinary way.
 */

import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { AddressPort } from '../lib/address-port.ts'
import { concatBytes } from '../lib/bytes.ts'
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
/** Whose write was over when the call returned; told once the caller is done. */
let finished: NodeConn[] = []

export class NodeConn implements Conn {
  readonly remote: AddressPort | undefined
  readonly #socket: Socket
  readonly #isTls: boolean
  /** It is a socket of Node's own, and no other stream. */
  readonly #isSocket: boolean
  readonly #clock: Clock
  #handler: ConnHandler | undefined
  #error: Error | undefined
  #closed = false
  /** Of the write that is under way. */
  #done: ((error?: Error) => void) | undefined
  #joined: JoinedChunks | undefined
  #writeError: Error | undefined
  /** The call that writes has not returned. */
  #isCalling = false
  /** What is to follow the write. */
  #onFinished: (() => void) | undefined

  /** @param head bytes that were read from the socket before it was handed over. */
  constructor(socket: Socket, head?: Uint8Array, { remote, clock = systemClock }: NodeConnOptions = {}) {
    this.#socket = socket
    this.#clock = clock
    this.#isTls = socket instanceof TLSSocket
    this.#isSocket = socket instanceof Socket
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
    if (this.#isSocket) this.#readPastStream()
    // Sockets from an HTTP server allow half-open connections; the other end is done, and so are we.
    this.#socket.on('end', () => this.#socket.destroy())
    // Whoever read the head of the stream may have paused it.
    this.#socket.resume()
  }

  /**
   * Takes what the socket has read before its stream does, where that would pass it on at once: over TLS each record
   * comes on its own. Should Node cease to call `push` here, all comes as `data` events.
   */
  #readPastStream(): void {
    const socket = this.#socket
    const push = socket.push.bind(socket)
    socket.push = (chunk, encoding) => {
      if (chunk === null || socket.readableFlowing !== true || socket.readableLength > 0 || socket.destroyed) {
        return push(chunk, encoding)
      }
      this.#handler?.onData(chunk)
      return true
    }
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
    const bytes = this.#asOne(chunks)
    if (bytes !== undefined) {
      this.#writeOne(bytes)
      return
    }
    const last = chunks.length - 1
    socket.cork()
    for (let i = 0; i < last; i++) socket.write(chunks[i] as Uint8Array)
    socket.write(chunks[last] as Uint8Array, this.#onWritten)
    socket.uncork()
  }

  /** The bytes of `chunks` in one piece, unless they are better left as they are. */
  #asOne(chunks: readonly Uint8Array[]): Uint8Array | undefined {
    if (chunks.length === 1) return chunks[0]
    // Streams may pass bytes on by reference, so that nobody knows when they are done with.
    if (!this.#isSocket) return concatBytes(chunks)
    let total = 0
    for (const chunk of chunks) total += chunk.length
    if (!this.#isTls && total > JOINED_CHUNK_BYTES * chunks.length) return undefined
    this.#joined = slabs.join(chunks, total)
    return this.#joined.bytes
  }

  #writeOne(bytes: Uint8Array): void {
    const socket = this.#socket
    if (!this.#isSocket || socket.writableLength > 0 || !socket.writable) {
      socket.write(bytes, this.#onWritten)
      return
    }
    // What the stream would call next: its queue is empty, and nobody else writes. Bytes have this encoding.
    this.#isCalling = true
    socket._write(bytes, 'buffer' as BufferEncoding, this.#onWritten)
    this.#isCalling = false
  }

  readonly #onWritten = (error?: Error | null): void => {
    this.#writeError = error ?? undefined
    if (!this.#isCalling) this.#finishWrite()
    else if (finished.push(this) === 1) queueMicrotask(NodeConn.#finishWrites)
  }

  #finishWrite(): void {
    const done = this.#done
    const error = this.#writeError
    this.#done = undefined
    if (this.#joined !== undefined) slabs.release(this.#joined)
    this.#joined = undefined
    if (error !== undefined) this.#socket.destroy(error)
    this.#onFinished?.()
    done?.(error)
  }

  static readonly #finishWrites = (): void => {
    const conns = finished
    finished = []
    for (const conn of conns) conn.#finishWrite()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  end(): void {
    const socket = this.#socket
    if (socket.destroyed) return
    const linger = this.#clock.after(LINGER_MS, () => socket.destroy())
    socket.once('close', () => linger.cancel())
    if (this.#done === undefined) socket.end()
    else this.#onFinished = () => socket.end()
    // Whoever closes with bytes unread resets the connection, and what was written last may be lost on its way.
    socket.resume()
  }
}

/** An address with its port, if both are known. */
export function addressOf(address: string | undefined, port: number | undefined): AddressPort | undefined {
  return address === undefined || port === undefined ? undefined : { address, port }
}
