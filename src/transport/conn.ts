/** The smallest thing that the relay and the clients need of a connection. */

import type { AddressPort } from '../lib/address-port.ts'

/** Receives what a {@link Conn} has to say. */
export interface ConnHandler {
  /** The next bytes. The chunk is never reused by the connection: views of it stay valid. */
  onData(chunk: Uint8Array): void
  /** The connection is over, by either side; called once. `error` is absent after an orderly end. */
  onClose(error?: Error): void
}

/** An ordered, reliable stream of bytes in both directions. */
export interface Conn {
  /** The other end; undefined where the transport does not know it. */
  readonly remote: AddressPort | undefined
  /** This end. */
  readonly local: AddressPort | undefined
  /** Starts delivering to `handler`, or hands delivery over to another one. */
  open(handler: ConnHandler): void
  /** Stops delivering; what the platform has read already may still come. */
  pause(): void
  resume(): void
  /**
   * Writes `chunks` in order as one batch. A caller has at most one write outstanding; the chunks belong to the
   * connection until `done` is called, which happens once, never before `write` has returned, and with an error
   * when the bytes may not have left.
   */
  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void
  /** Ends the connection at once; what has not left is lost. `onClose` follows. */
  destroy(): void
  /** Ends the connection after what was written; what still comes may be delivered, or not. `onClose` follows. */
  end(): void
}
