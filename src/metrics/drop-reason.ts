/** Why a packet was dropped. */

// P-102: a closed list, each with its counter.
/** Drop reasons, named after the original's metric labels. */
export const DropReason = {
  /** No session or forwarder has this key. */
  UnknownDest: 'unknown_dest',
  /** No session has this key, for a packet forwarded by a mesh peer. */
  UnknownDestOnForward: 'unknown_dest_on_fwd',
  /** The destination's connection ended before the packet was sent. */
  GoneDisconnected: 'gone_disconnected',
  /** The destination's queue was full; the oldest packet was displaced. */
  QueueHead: 'queue_head',
  /** The destination's queue stayed full; always 0 here, because there are no racing writers. */
  QueueTail: 'queue_tail',
  /** The connection failed while the packet was being written. */
  WriteError: 'write_error',
  /** The key is connected more than once and no connection is active; always 0 with our only duplicate policy. */
  DuplicateClient: 'dup_client',
  /** The destination's worker is too far behind; ours only. */
  WorkerBehind: 'worker_behind',
  /** Too much was queued for all slow readers together; ours only. */
  QueueBudget: 'queue_budget',
  /** Displaced by newer packets while its destination was being found in the region; ours only. */
  FindDisplaced: 'find_displaced',
  /** The region did not say where its destination is; ours only. */
  FindFailed: 'find_failed',
} as const
export type DropReason = (typeof DropReason)[keyof typeof DropReason]

/** All reasons, in the original's exposition order. */
export const DROP_REASONS: readonly DropReason[] = Object.values(DropReason)

/** Those that the original does not have. */
export const OWN_DROP_REASONS: ReadonlySet<DropReason> = new Set([
  DropReason.WorkerBehind,
  DropReason.QueueBudget,
  DropReason.FindDisplaced,
  DropReason.FindFailed,
])

// P-053
/** Packet kinds counted separately. */
export type PacketKind = 'disco' | 'other'
