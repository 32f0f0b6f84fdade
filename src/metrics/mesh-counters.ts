/** Numbers of the links to sibling relays. */

import type { Amount } from './counters.ts'

/** Why a packet for a sibling was dropped: a closed list. */
export const ForwardDropReason = {
  /** The queue of the link was full; the oldest packet made room. */
  QueueFull: 'queue_full',
  /** There was no connection, or it ended before the packet was its turn. */
  LinkDown: 'link_down',
  /** The connection failed while the packet was being written. */
  WriteError: 'write_error',
} as const
export type ForwardDropReason = (typeof ForwardDropReason)[keyof typeof ForwardDropReason]

/** All reasons. */
export const FORWARD_DROP_REASONS: readonly ForwardDropReason[] = Object.values(ForwardDropReason)

/** How a link stands. `self` is for good: what was to be a sibling is this relay. */
export type MeshLinkState = 'connecting' | 'up' | 'self' | 'stopped'

/** Numbers of one link. */
export class MeshLinkCounters {
  /** Times that the link came up. */
  connects = 0
  /** Packets, with their payload, that were written to the sibling. */
  readonly forwarded: Amount = { packets: 0, bytes: 0 }
  readonly dropped: Record<ForwardDropReason, Amount> = Object.fromEntries(
    FORWARD_DROP_REASONS.map(reason => [reason, { packets: 0, bytes: 0 }]),
  ) as Record<ForwardDropReason, Amount>
}

/** What the metrics show of one link. */
export interface MeshLinkSnapshot {
  readonly host: string
  readonly state: MeshLinkState
  /** Different clients of the sibling. */
  readonly peers: number
  readonly counters: MeshLinkCounters
}
