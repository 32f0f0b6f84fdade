/** Why a packet was dropped: a closed list, each with its counter (P-102). */

/** Reasons, by the names of the original's metric labels. */
export const DropReason = {
  /** No client of this key is known here. */
  UnknownDest: 'unknown_dest',
  /** The same for a packet that a sibling relay passed on. */
  UnknownDestOnForward: 'unknown_dest_on_fwd',
  /** The destination's connection ended before the packet was sent. */
  GoneDisconnected: 'gone_disconnected',
  /** The destination's queue was full; the oldest packet made room. */
  QueueHead: 'queue_head',
  /** The destination's queue was full and no room could be made; never moves here, as there are no racing writers. */
  QueueTail: 'queue_tail',
  /** The connection failed while the packet was being written. */
  WriteError: 'write_error',
  /** The key is connected more than once and none is active; never moves under the only policy there is. */
  DuplicateClient: 'dup_client',
  /** The core that has the destination is too far behind; a reason of ours. */
  CoreBehind: 'core_behind',
} as const
export type DropReason = (typeof DropReason)[keyof typeof DropReason]

/** All reasons, in the order of the original's exposition. */
export const DROP_REASONS: readonly DropReason[] = Object.values(DropReason)

/** Kinds of packets that are counted apart (P-053). */
export type PacketKind = 'disco' | 'other'
