/**
 * A bound on what waits for all slow readers together (P-104): thousands of them must not exhaust the memory of the machine.
 *
 * Each queue has its own bound, and each connection one write of bounded size; this one matters only when thousands are
 * full at once. Beyond it the longest queues are cut, to one common length, and lose their oldest packets. If that is not
 * enough, because what is left has been handed to the platform or may not be dropped, the connections with most of it end.
 */

/** A connection with queued packets. */
export interface QueueHolder {
  readonly queuedBytes: number
  /** Drops the oldest packets until at most this many bytes are queued. */
  cutQueues(maxBytes: number): void
}

/** A connection with a write under way. */
export interface WriteHolder {
  /** Bytes of the write and of all that waits behind it. */
  readonly pendingBytes: number
  /** Ends the connection: too much waits for all of them together. */
  onOverflow(): void
}

/** How far below the bound queues are cut, so that each packet beyond it does not cut them again. */
const CUT_TO = 0.9

export class QueueBudget {
  /** Bytes of packets queued for all connections. */
  bytes = 0
  /** Bytes that cannot be dropped alone: writes under way, and control frames behind them. */
  heldBytes = 0
  readonly #maxBytes: number
  readonly #writes: () => Iterable<WriteHolder>
  readonly #holders = new Set<QueueHolder>()

  /**
   * @param maxBytes 0 for no bound.
   * @param writes connections with a write under way, the oldest first. Default: none is ended.
   */
  constructor(maxBytes: number, writes: () => Iterable<WriteHolder> = () => []) {
    this.#maxBytes = maxBytes
    this.#writes = writes
  }

  /** The connection has queued packets; it may be here already. */
  add(holder: QueueHolder): void {
    this.#holders.add(holder)
  }

  /** The connection has none any more. */
  remove(holder: QueueHolder): void {
    this.#holders.delete(holder)
  }

  /** Cuts the longest queues if there is more than the bound, and then ends connections. Called at the end of a turn. */
  enforce(): void {
    if (!this.#isExceeded) return
    this.#cut(this.#total - CUT_TO * this.#maxBytes)
    if (this.#isExceeded) this.#endFattest()
  }

  get #total(): number {
    return this.bytes + this.heldBytes
  }

  get #isExceeded(): boolean {
    return this.#maxBytes !== 0 && this.#total > this.#maxBytes
  }

  #cut(excess: number): void {
    const longestFirst = Array.from(this.#holders, holder => [holder.queuedBytes, holder] as const)
    longestFirst.sort(([a], [b]) => b - a)
    const maxBytes = commonLength(
      longestFirst.map(([bytes]) => bytes),
      excess,
    )
    for (const [bytes, holder] of longestFirst) {
      if (bytes <= maxBytes) return
      holder.cutQueues(maxBytes)
    }
  }

  /** Of connections with as much, the one whose write is the oldest ends first. */
  #endFattest(): void {
    const fattestFirst = Array.from(this.#writes(), holder => [holder.pendingBytes, holder] as const)
    fattestFirst.sort(([a], [b]) => b - a)
    for (const [, holder] of fattestFirst) {
      if (this.#total <= CUT_TO * this.#maxBytes) return
      holder.onOverflow()
    }
  }
}

/** The length to which the longest must be cut to lose `excess` in all. @param lengths the longest first. */
function commonLength(lengths: readonly number[], excess: number): number {
  let sum = 0
  for (const [at, length] of lengths.entries()) {
    sum += length
    const common = (sum - excess) / (at + 1)
    if (common >= (lengths[at + 1] ?? 0)) return Math.max(0, common)
  }
  return 0
}
