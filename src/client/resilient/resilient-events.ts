/**
 * What a {@link ResilientClient} tells the program it is part of.
 *
 * Clauses: P-060, P-092.
 */

import type { NodePublicKey } from '../../keys/node-key.ts'
import type { DerpError } from '../../lib/derp-error.ts'
import type { FailureReason } from './target-schedule.ts'

/** `idle` until the client is used first; no state but `closed` is final. */
export type ResilientState = 'idle' | 'connecting' | 'connected' | 'waiting' | 'closed'

/** Why a state was entered. */
export type StateReason =
  | FailureReason
  /** The client was used for the first time. */
  | 'started'
  /** The relay has let us in. */
  | 'accepted'
  /** There is no relay to connect to. */
  | 'noTarget'
  /** `close` was called. */
  | 'closed'

export interface StateEvent {
  readonly state: Exclude<ResilientState, 'idle'>
  readonly reason: StateReason
  /** Attempts since the last healthy connection, this one included. */
  readonly attempt: number
  /** Name of the target that is, or will be, connected to; undefined without one. */
  readonly node: string | undefined
  /** Milliseconds until the next attempt, when waiting for one. */
  readonly delayMs: number | undefined
  /** What went wrong last, when something did. */
  readonly error: DerpError | undefined
}

/** A relay's view of this client. */
export interface HealthEvent {
  /** Empty when an earlier problem is over. */
  readonly problem: string
  /** Whether it says that the key is connected elsewhere too: somebody may have cloned this client. */
  readonly isDuplicate: boolean
  readonly node: string
}

/** A peer cannot be reached here any more: routes to it by this region are stale. */
export interface PeerGoneEvent {
  readonly peer: NodePublicKey
  /** A `PeerGoneReason`. */
  readonly reason: number
  readonly node: string
}

/** Events by name. What a listener throws is logged, and nothing more. */
export interface ResilientEvents {
  readonly state: StateEvent
  readonly health: HealthEvent
  readonly peerGone: PeerGoneEvent
}
