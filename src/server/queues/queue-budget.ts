/**
 * A bound on what is queued for all slow readers together (P-104): so many of them must not use up the machine.
 *
 * Each queue has its own bound; this one matters only when thousands are full at once. Beyond it the longest queues are cut,
 * to one common length, and lose their oldest packets.
 */

/** A connection with queued packets. */
export interface QueueHolder {
  readonly queuedBytes: number
  /** Drops the oldest packets until at most this many bytes are queued. */
  cutQueues(maxBytes: number): void
}

/** How far below the bound queues are cut, so that each packet beyond it does not cut them again. */
const CUT_TO = 0.9

export class QueueBudget {
  /** Bytes queued for all connections. */
  bytes = 0
  readonly #maxBytes: number
  readonly #holders = new Set<QueueHolder>()

  /** @param maxBytes 0 for no bound. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The connection has queued packets; it may be here already. */
  add(holder: QueueHolder): void {
    this.#holders.add(holder)
  }

  /** The connection has none any more. */
  remove(holder: QueueHolder): void {
    this.#holders.delete(holder)
  }

  /** Cuts the longest queues if there is more than the bound. Called at the end of a turn. */
  enforce(): void {
    if (this.#maxBytes === 0 || this.bytes <= this.#maxBytes) return
    const longestFirst = Array.from(this.#holders, holder => [holder.queuedBytes, holder] as const)
    longestFirst.sort(([a], [b]) => b - a)
    const maxBytes = commonLength(
      longestFirst.map(([bytes]) => bytes),
      this.bytes - CUT_TO * this.#maxBytes,
    )
    for (const [bytes, holder] of longestFirst) {
      if (bytes <= maxBytes) return
      holder.cutQueues(maxBytes)
    }
  }
}

/** The length to which the longest must be cut to lose `excess` in all. @param lengths the longest first. */
function commonLength(lengths: readonly number[], excess: number): number {
  let sum = 0
  for (const [at, length] of lengths.entries()) {
    sum += length
    const common = (sum - excess) / (at + 1)
    if (common >= (lengths[at + 1] ?? 0)) return common
  }
  return 0
}
