/**
 * The message port of a region: NATS, or memory in tests and simulations.
 *
 * Clauses: P-317 what is not acknowledged, P-318 outages, P-320 subjects.
 */

import type { Broadcast } from './message.ts'
import type { RelayId } from './stamp.ts'

/** Takes what a bus brings. */
export interface BusHandler {
  /** Messages can be sent and received from now on. */
  onUp(): void
  /** No message can be sent or received any more. */
  onDown(reason: string): void
  /** `bytes` are valid until it returns. `isDirect`: told to this relay only. */
  onMessage(from: RelayId, bytes: Uint8Array, isDirect: boolean): void
}

/**
 * Carries messages between the relays of a region.
 *
 * - MUST deliver what one relay sends in the order in which it was sent, as far as it delivers it.
 * - MUST NOT deliver a relay's own broadcasts to it.
 * - MUST bound what waits, refuse what is beyond, and refuse everything while it is down.
 * - MUST NOT throw into the caller of a send.
 */
export interface Bus {
  readonly isUp: boolean
  /** Connects, and again whenever the connection is lost. */
  open(handler: BusHandler): void
  /** Tells all relays; returns whether the message was taken. */
  broadcast(kind: Broadcast, bytes: Uint8Array): boolean
  /** Tells one relay; returns whether the message was taken. */
  send(to: RelayId, bytes: Uint8Array): boolean
  /** Sends what it has taken, then disconnects. */
  close(): Promise<void>
}
