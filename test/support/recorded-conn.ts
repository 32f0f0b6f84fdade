/** A connection without another end: the test delivers what it receives, and sees what was done to it. */

import type { AddressPort } from '../../src/lib/address-port.ts'
import type { Conn, ConnHandler } from '../../src/transport/conn.ts'

export class RecordedConn implements Conn {
  readonly local: AddressPort | undefined
  readonly remote: AddressPort | undefined
  isPaused = false
  isDestroyed = false
  /** All that was written. */
  readonly written: Uint8Array[] = []
  #handler: ConnHandler | undefined

  /** What the platform delivers to; it may do so even after a pause or the end. */
  get handler(): ConnHandler {
    if (this.#handler === undefined) throw new Error('deliver to handler of connection: none')
    return this.#handler
  }

  open(handler: ConnHandler): void {
    this.#handler = handler
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    this.written.push(...chunks.map(chunk => chunk.slice()))
    queueMicrotask(() => done())
  }

  destroy(): void {
    this.isDestroyed = true
  }

  end(): void {
    this.isDestroyed = true
  }
}
