/** Counters of mesh links. */

import type { Amount } from './counters.ts'

/** Why a packet for a mesh peer was dropped: a closed list. */
export const ForwardDropReason = {
  /** The link's queue was full; the oldest packet was displaced. */
  QueueFull: 'queue_full',
  /** There was no connection, or it ended before the packet was sent. */
  LinkDown: 'link_down',
  /** The connection failed while the packet was being written. */
  WriteError: 'write_error',
} as const
export type ForwardDropReason = (typeof ForwardDropReason)[keyof typeof ForwardDropReason]

export const FORWARD_DROP_REASONS: readonly ForwardDropReason[] = Object.values(ForwardDropReason)

/** State of a link. `self` is final: the supposed mesh peer is this relay. */
export type MeshLinkState = 'connecting' | 'up' | 'self' | 'stopped'

export class MeshLinkCounters {
  /** Times the link came up. */
  connects = 0
  /** Times that it was closed because the mesh peer had too many clients. */
  overflows = 0
  /** Packets and payload written to the mesh peer. */
  readonly forwarded: Amount = { packets: 0, bytes: 0 }
  readonly dropped: Record<ForwardDropReason, Amount> = Object.fromEntries(
    FORWARD_DROP_REASONS.map(reason => [reason, { packets: 0, bytes: 0 }]),
  ) as Record<ForwardDropReason, Amount>
}

/** One link, as shown in the metrics. */
export interface MeshLinkSnapshot {
  readonly host: string
  readonly state: MeshLinkState
  /** Distinct clients of the mesh peer. */
  readonly peers: number
  readonly counters: MeshLinkCounters
}
