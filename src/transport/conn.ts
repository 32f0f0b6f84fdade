/** The minimal connection interface for relay and clients. */

import type { AddressPort } from '../lib/address-port.ts'

/** Receives the events of a {@link Conn}. */
export interface ConnHandler {
  /** The next bytes. The connection never reuses the chunk: views of it stay valid. */
  onData(chunk: Uint8Array): void
  /** The other side has sent something without data, such as an empty message. */
  onEmpty?(): void
  /** The connection has ended, from either side; called once. `error` is absent after an orderly end. */
  onClose(error?: Error): void
}

/** An ordered, reliable, bidirectional byte stream. */
export interface Conn {
  /** The remote end; undefined if the transport does not know it. */
  readonly remote: AddressPort | undefined
  /** The local end. */
  readonly local: AddressPort | undefined
  /** Starts delivering to `handler`, or switches delivery to another one. */
  open(handler: ConnHandler): void
  /** Stops delivering; data that the platform has already read may still arrive. */
  pause(): void
  /** Delivers again, first what has arrived meanwhile. */
  resume(): void
  /**
   * Writes `chunks` in order as one batch. At most one write may be pending. The chunks belong to the connection until
   * `done` is called: once, never before `write` has returned, and with an error if the bytes may not have been sent.
   */
  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void
  /** Closes the connection at once; unsent data is lost. `onClose` follows. */
  destroy(): void
  /** Closes the connection once pending writes have been sent; incoming data may or may not be delivered. `onClose` follows. */
  end(): void
}
