/**
 * What relays of a region tell each other (P-321). The sender is named by the subject, so no message repeats it.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { KeyTime, KeyTimes } from './key-times.ts'

/** Told to all relays, each kind on a subject of its own. */
export const BROADCASTS = ['beat', 'here', 'gone', 'find'] as const
export type Broadcast = (typeof BROADCASTS)[number]

/** A sign of life (P-300). */
export interface Beat {
  readonly type: 'beat'
  /** Where others open links to. */
  readonly url: string
  /** Differs each time that a relay starts. */
  readonly incarnation: number
  /** Number of the last message of type here or gone. */
  readonly sequence: number
  /** The sender's clock. */
  readonly time: number
}

/** Which part of the list of all its keys a relay sends. */
export interface ListPart {
  /** From 0. */
  readonly number: number
  readonly isLast: boolean
}

/** Keys that are connected to the sender, with the times of their logins. */
export interface Here<List> {
  readonly type: 'here'
  /** 0 if it is told to one relay only. */
  readonly sequence: number
  /** Present if this is a part of the list of all. */
  readonly list: ListPart | undefined
  readonly keys: List
}

/** Keys whose login at that time is connected no longer. */
export interface Gone<List> {
  readonly type: 'gone'
  readonly sequence: number
  readonly keys: List
}

/** Asks who has these keys. Every relay answers. */
export interface Find {
  readonly type: 'find'
  readonly id: number
  readonly keys: readonly NodePublicKey[]
}

/** Answers {@link Find}: those of the keys whose newest login is the sender's, as far as it knows. */
export interface Found<List> {
  readonly type: 'found'
  readonly id: number
  readonly keys: List
}

/** The sender has a newer login of a key than the receiver. */
export interface Superseded {
  readonly type: 'superseded'
  readonly key: NodePublicKey
  readonly time: number
}

/** Asks for the list of all keys, in messages to the asking relay only. */
export interface Resync {
  readonly type: 'resync'
}

/** The receiver's list for all relays has come, and is complete. */
export interface Listed {
  readonly type: 'listed'
}

/** The sender is leaving: nothing that it has said holds any more. */
export interface Reset {
  readonly type: 'reset'
}

/** Close all connections of this key. */
export interface ClosePeer {
  readonly type: 'closePeer'
  readonly peer: NodePublicKey
}

/** Messages as they are sent. */
export type OutMessage =
  | Beat
  | Here<readonly KeyTime[]>
  | Gone<readonly KeyTime[]>
  | Find
  | Found<readonly KeyTime[]>
  | Superseded
  | Resync
  | Listed
  | Reset
  | ClosePeer

/** Messages as they are received. */
export type InMessage =
  | Beat
  | Here<KeyTimes>
  | Gone<KeyTimes>
  | Find
  | Found<KeyTimes>
  | Superseded
  | Resync
  | Listed
  | Reset
  | ClosePeer
