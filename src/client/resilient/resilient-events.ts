/**
 * Events of a {@link ResilientClient}.
 *
 * Clauses: P-060, P-092.
 */

import type { NodePublicKey } from '../../keys/public-key.ts'
import type { DerpError } from '../../lib/derp-error.ts'
import type { FailureReason } from './target-schedule.ts'

/**
 * `idle` until first used, `connecting` during an attempt, `connected` once a relay has admitted the client, `waiting` before
 * the next attempt. Only `closed` is final.
 */
export type ResilientState = 'idle' | 'connecting' | 'connected' | 'waiting' | 'closed'

/** Why a state was entered. */
export type StateReason =
  | FailureReason
  /** The client was used for the first time. */
  | 'started'
  /** The relay has admitted the client. */
  | 'accepted'
  /** There is no relay to connect to. */
  | 'noTarget'
  /** `close` was called. */
  | 'closed'

/** A change of state of a resilient client, its cause, and what follows. */
export interface StateEvent {
  /** The state that was entered. */
  readonly state: Exclude<ResilientState, 'idle'>
  /** Why it was entered. */
  readonly reason: StateReason
  /** Attempts since the last healthy connection, including this one. */
  readonly attempt: number
  /** Name of the current or next target; undefined without one. */
  readonly node: string | undefined
  /** Milliseconds until the next attempt, while waiting. */
  readonly delayMs: number | undefined
  /** The last failure, if any. */
  readonly error: DerpError | undefined
}

/** A relay's view of this client. */
export interface HealthEvent {
  /** Empty when an earlier problem is cleared. */
  readonly problem: string
  /** Whether the key is reported as connected elsewhere too: this client may have been cloned. */
  readonly isDuplicate: boolean
  /** Name of the target that reports it. */
  readonly node: string
}

/** A peer can no longer be reached here: routes to it through this region are stale. */
export interface PeerGoneEvent {
  /** Who is gone. */
  readonly peer: NodePublicKey
  /** A `PeerGoneReason`. */
  readonly reason: number
  /** Name of the target that reports it. */
  readonly node: string
}

/** Events by name. Exceptions from listeners are logged and otherwise ignored. */
export interface ResilientEvents {
  /** A state was entered. */
  readonly state: StateEvent
  /** The relay reported a problem, or its end. */
  readonly health: HealthEvent
  /** A peer cannot be reached any more. */
  readonly peerGone: PeerGoneEvent
}
