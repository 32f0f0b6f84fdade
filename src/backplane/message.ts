/**
 * Messages between the relays of a region (P-321). The sender is part of the subject, not of the message.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { KeyTime, KeyTimes } from './key-times.ts'

/** Messages to all relays, each kind on its own subject. */
export const BROADCASTS = ['beat', 'here', 'gone', 'find'] as const
export type Broadcast = (typeof BROADCASTS)[number]

/** A heartbeat (P-300). */
export interface Beat {
  readonly type: 'beat'
  /** Where other relays open links. */
  readonly url: string
  /** Changes each time a relay starts. */
  readonly incarnation: number
  /** Number of the last `here` or `gone` message. */
  readonly sequence: number
  /** The sender's clock. */
  readonly time: number
}

/** A part of the list of all keys of a relay. */
export interface ListPart {
  /** From 0. */
  readonly number: number
  readonly isLast: boolean
}

/** Keys connected to the sender, with their login times. */
export interface Here<List> {
  readonly type: 'here'
  /** 0 in messages to one relay only. */
  readonly sequence: number
  /** Present if this is a part of the full list. */
  readonly list: ListPart | undefined
  readonly keys: List
}

/** Keys whose login with that time has ended. */
export interface Gone<List> {
  readonly type: 'gone'
  readonly sequence: number
  readonly keys: List
}

/** Queries which relays have these keys. Every relay responds. */
export interface Find {
  readonly type: 'find'
  readonly id: number
  readonly keys: readonly NodePublicKey[]
}

/** Response to {@link Find}: the keys whose newest known login is at the sender. */
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

/** Requests the list of all keys, sent only to the requesting relay. */
export interface Resync {
  readonly type: 'resync'
}

/** Confirms that the receiver's list for all relays has arrived completely. */
export interface Listed {
  readonly type: 'listed'
  /** Number of the sender's last `here` or `gone` before the list: later ones must arrive. */
  readonly sequence: number
}

/** The sender is leaving: all its earlier messages are void. */
export interface Reset {
  readonly type: 'reset'
}

/** Close all connections of this key. */
export interface ClosePeer {
  readonly type: 'closePeer'
  readonly peer: NodePublicKey
}

/** Messages to send. */
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

/** Received messages. */
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
