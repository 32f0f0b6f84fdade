/**
 * Messaging between the relays of a region: over NATS, or in memory for tests and simulations.
 *
 * Clauses: P-317 acknowledgements, P-318 outages, P-320 subjects.
 */

import type { Broadcast } from './message.ts'
import type { RelayId } from './stamp.ts'

/** Receives events of a bus. */
export interface BusHandler {
  /** Messages can be sent and received from now on. */
  onUp(): void
  /** Messages can no longer be sent or received. */
  onDown(reason: string): void
  /** `bytes` are only valid until it returns. `isDirect`: sent to this relay only. */
  onMessage(from: RelayId, bytes: Uint8Array, isDirect: boolean): void
}

/**
 * Carries messages between the relays of a region.
 *
 * - MUST deliver messages from one relay in order, but may lose some.
 * - MUST NOT deliver a relay's own broadcasts to it.
 * - MUST bound its queue, reject messages beyond, and reject all messages while it is down.
 * - MUST NOT throw from a send.
 */
export interface Bus {
  readonly isUp: boolean
  /** Connects, and reconnects whenever the connection is lost. */
  open(handler: BusHandler): void
  /** Sends to all relays; returns whether the message was accepted. */
  broadcast(kind: Broadcast, bytes: Uint8Array): boolean
  /** Sends to one relay; returns whether the message was accepted. */
  send(to: RelayId, bytes: Uint8Array): boolean
  /** Sends accepted messages, then disconnects. */
  close(): Promise<void>
}
