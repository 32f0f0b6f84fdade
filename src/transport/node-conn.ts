/**
 * A {@link Conn} over a Node TCP or TLS socket.
 *
 * Writing one buffer is cheaper than several, and TLS would copy several again, so small chunks are joined first. TLS
 * makes as many records as it needs from one buffer.
 *
 * Node's stream queues cost more per read and write than the relay's own work. For sockets they are bypassed while
 * empty, through methods that the stream contract names. Other streams, such as those from custom dialers, are used
 * normally.
 */

import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { AddressPort } from '../lib/address-port.ts'
import { concatBytes } from '../lib/bytes.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Conn, ConnHandler } from './conn.ts'
import { own, readMore, type SocketOwner, startReading } from './node-owned-socket.ts'
import { type JoinedChunks, WriteSlabs } from './node-write-slabs.ts'
import { TurnBudget, type TurnLimits, type TurnShare, turnShareOf } from './turn-share.ts'

/** On plain sockets, chunks larger than this on average are written separately. */
const JOINED_CHUNK_BYTES = 4 << 10
/**
 * Reads in one turn of the event loop: over TLS each record is one, however small. Node reads up to 2 MiB in a turn
 * unless stopped.
 */
const TURN_LIMITS: TurnLimits = { pieces: 64, bytes: 256 << 10 }
/** Milliseconds that the peer has to take the last bytes and close. */
export const LINGER_MS = 1_000

/** Options of {@link NodeConn}. */
export interface NodeConnOptions {
  /** The client's address if it differs from the socket's peer, such as behind a proxy. */
  readonly remote?: AddressPort | undefined
  /** Time and timers. Default: the platform's. */
  readonly clock?: Clock
}

const slabs = new WriteSlabs()
/** Connections whose write completed synchronously; reported once the caller has returned. */
let finished: NodeConn[] = []

/**
 * A connection over a TCP or TLS socket of Node.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:net'
 *
 * const relay = createRelay({ privateKey })
 * createServer(socket => relay.accept(new NodeConn(socket))).listen(3340) // DERP without HTTP
 * ```
 */
export class NodeConn implements Conn, SocketOwner {
  readonly remote: AddressPort | undefined
  readonly #socket: Socket
  readonly #isTls: boolean
  /** A socket of Node's own, not another stream. */
  readonly #isSocket: boolean
  readonly #clock: Clock
  readonly #share: TurnShare
  readonly #budget: TurnBudget
  /** The owner wants no data now; the budget of this turn is used up. */
  #isPaused = false
  #isYielding = false
  /** Reading has stopped, until the data read so far is taken. */
  #isStopped = false
  #handler: ConnHandler | undefined
  #error: Error | undefined
  #closed = false
  /** Callback of the pending write. */
  #done: ((error?: Error) => void) | undefined
  #joined: JoinedChunks | undefined
  #writeError: Error | undefined
  /** The writing call has not returned yet. */
  #isCalling = false
  /** Runs after the pending write. */
  #onFinished: (() => void) | undefined

  /**
   * @param socket the connection belongs to this object from now on.
   * @param head bytes read from the socket before it was handed over.
   */
  constructor(socket: Socket, head?: Uint8Array, { remote, clock = systemClock }: NodeConnOptions = {}) {
    this.#socket = socket
    this.#clock = clock
    this.#share = turnShareOf(clock)
    this.#budget = new TurnBudget(this.#share, TURN_LIMITS)
    this.#isTls = socket instanceof TLSSocket
    this.#isSocket = socket instanceof Socket
    this.remote = remote ?? addressOf(socket.remoteAddress, socket.remotePort)
    if (head !== undefined && head.length > 0) socket.unshift(head)
    own(socket, this)
  }

  /** @internal */
  onSocketError(error: Error): void {
    this.#error ??= error
  }

  /** @internal */
  onSocketClose(): void {
    this.#closed = true
    this.#handler?.onClose(this.#error)
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
    startReading(this.#socket)
    // Whatever read the head of the stream may have paused it.
    this.#socket.resume()
  }

  /** @internal */
  onSocketData(chunk: Uint8Array): void {
    this.takeRead(chunk)
    this.#readOn()
  }

  /** @internal */
  takeRead(chunk: Uint8Array): void {
    this.#handler?.onData(chunk)
    if (!this.#budget.charge(1, chunk.length)) this.#yieldTurn()
  }

  /** @internal */
  mayReadOn(): boolean {
    const may = this.#mayRead
    if (!may) this.#isStopped = true
    return may
  }

  get #mayRead(): boolean {
    return !this.#isPaused && !this.#isYielding && this.#socket.readableLength === 0
  }

  #readOn(): void {
    if (!this.#isStopped || !this.#mayRead) return
    this.#isStopped = false
    if (this.#isSocket) readMore(this.#socket)
  }

  /** What has been read already waits in the socket's stream. */
  #yieldTurn(): void {
    if (this.#isYielding) return
    this.#isYielding = true
    this.#socket.pause()
    this.#share.wait(() => {
      this.#isYielding = false
      this.#budget.renew()
      if (!this.#isPaused && !this.#socket.destroyed) this.#proceed()
    })
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (!this.#isYielding) this.#proceed()
  }

  #proceed(): void {
    this.#socket.resume()
    this.#readOn()
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

  /** The bytes of `chunks` in one buffer, unless they are better written separately. */
  #asOne(chunks: readonly Uint8Array[]): Uint8Array | undefined {
    if (chunks.length === 1) return chunks[0]
    // Other streams may pass bytes on by reference, so their buffers cannot be reused.
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
    // What the stream would call next: its queue is empty and there is no other writer. Byte writes use this encoding.
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
    // Closing with unread bytes resets the connection, and the last bytes written may be lost.
    this.resume()
  }
}

/** An address with port, if both are known. */
export function addressOf(address: string | undefined, port: number | undefined): AddressPort | undefined {
  return address === undefined || port === undefined ? undefined : { address, port }
}
