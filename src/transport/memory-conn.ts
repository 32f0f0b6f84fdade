/** A pair of connections in memory, for tests and for a client in the same process as its relay. */

import type { AddressPort } from '../lib/address-port.ts'
import { copyBytes } from '../lib/bytes.ts'
import type { Conn, ConnHandler } from './conn.ts'

/** Options of {@link memoryConnPair}. */
export interface MemoryConnOptions {
  /** Remote address seen by the second end, and local address of the first. */
  readonly clientAddress?: AddressPort
  /** Address of the second end. */
  readonly serverAddress?: AddressPort
}

/** One end of a pair made by {@link memoryConnPair}. */
export class MemoryConn implements Conn {
  readonly local: AddressPort | undefined
  readonly remote: AddressPort | undefined
  #peer: MemoryConn | undefined
  #handler: ConnHandler | undefined
  #paused = false
  #closed = false
  #ended = false
  #delivering = false
  /** Writes of the peer that have not been read here yet. */
  readonly #inbox: { chunks: readonly Uint8Array[]; done: (error?: Error) => void }[] = []

  /** @internal */
  constructor(local: AddressPort | undefined, remote: AddressPort | undefined) {
    this.local = local
    this.remote = remote
  }

  /** Connects two ends; once each. */
  static join(a: MemoryConn, b: MemoryConn): void {
    a.#peer = b
    b.#peer = a
  }

  /** Writes of the peer waiting because this end does not read. */
  get unreadWrites(): number {
    return this.#inbox.length
  }

  open(handler: ConnHandler): void {
    this.#handler = handler
    this.#schedule()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    const peer = this.#peer
    if (this.#closed || peer === undefined || peer.#closed) {
      queueMicrotask(() => done(new Error('write to memory conn: closed')))
      return
    }
    peer.#inbox.push({ chunks, done })
    peer.#schedule()
  }

  end(): void {
    const peer = this.#peer
    if (this.#closed || peer === undefined) return
    peer.#ended = true
    this.#close()
    peer.#schedule()
  }

  destroy(): void {
    if (this.#closed) return
    const peer = this.#peer
    this.#close()
    if (peer !== undefined) peer.#close()
  }

  #close(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    const unread = this.#inbox.splice(0)
    queueMicrotask(() => {
      for (const { done } of unread) done(new Error('write to memory conn: closed by the reader'))
      this.#handler?.onClose(error)
    })
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
    while (!this.#paused && !this.#closed && this.#handler !== undefined) {
      const next = this.#inbox.shift()
      if (next === undefined) {
        if (this.#ended) this.#close()
        return
      }
      // The reader gets a copy: the writer may reuse its buffers once `done` has been called.
      for (const chunk of next.chunks) this.#handler.onData(copyBytes(chunk))
      next.done()
    }
  }
}

/**
 * A connected pair: `[client end, server end]`.
 *
 * @example
 * ```ts
 * const [clientConn, serverConn] = memoryConnPair()
 * createRelay({ privateKey }).accept(serverConn)
 * const client = await DerpClient.login(clientConn, { privateKey, agreement: portableAgreement })
 * ```
 */
export function memoryConnPair(options: MemoryConnOptions = {}): [client: MemoryConn, server: MemoryConn] {
  const client = new MemoryConn(options.clientAddress, options.serverAddress)
  const server = new MemoryConn(options.serverAddress, options.clientAddress)
  MemoryConn.join(client, server)
  return [client, server]
}
