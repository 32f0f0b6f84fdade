/**
 * A bounded buffer of log lines, never written synchronously; lines beyond the bound are dropped.
 *
 * Nothing waits for the log: a stalled reader or a full disk costs lines, not service.
 */

import type { Clock } from '../../lib/clock.ts'
import type { LogCounters } from '../../metrics/log-counters.ts'

/** Where lines go. */
export interface LineSink {
  /**
   * Writes whole lines. Resolves once done, however long that takes; never rejects.
   *
   * @param dropped lines lost since the last call.
   */
  write(lines: string, dropped: number): Promise<void>
}

/** Characters that may wait, those being written included. */
const MAX_WAITING = 1 << 20

export class LineBuffer {
  readonly counters: LogCounters = { dropped: 0 }
  readonly #sink: LineSink
  readonly #clock: Clock
  readonly #maxWaiting: number
  #lines: string[] = []
  #waiting = 0
  #writing: Promise<void> | undefined
  /** Lines dropped since the last write began. */
  #untold = 0
  /** Called when lines can be written again after `dropped` were lost. */
  onRecovered: (dropped: number) => void = () => {}

  constructor(sink: LineSink, clock: Clock, maxWaiting = MAX_WAITING) {
    this.#sink = sink
    this.#clock = clock
    this.#maxWaiting = maxWaiting
  }

  /** Takes whole lines, or drops them all. */
  write(lines: string): void {
    if (this.#waiting + lines.length > this.#maxWaiting) {
      this.drop(countLines(lines))
      return
    }
    this.#lines.push(lines)
    this.#waiting += lines.length
    this.#writing ??= this.#writeAll()
  }

  /** Counts lines that were lost on the way here. */
  drop(lines: number): void {
    this.counters.dropped += lines
    this.#untold += lines
    if (lines > 0) this.#writing ??= this.#writeAll()
  }

  /** Resolves when all lines have been written, or after `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    if (this.#writing === undefined) return
    const tooLate = Promise.withResolvers<void>()
    const timer = this.#clock.after(limitMs, tooLate.resolve, true)
    await Promise.race([this.#writing, tooLate.promise])
    timer.cancel()
  }

  /** Writes all queued lines at once; those that arrive meanwhile are the next write. */
  async #writeAll(): Promise<void> {
    while (this.#lines.length > 0 || this.#untold > 0) {
      const lines = this.#lines.join('')
      const dropped = this.#untold
      this.#lines = []
      this.#untold = 0
      await this.#sink.write(lines, dropped)
      this.#waiting -= lines.length
      if (dropped > 0) this.onRecovered(dropped)
    }
    this.#writing = undefined
  }
}

function countLines(text: string): number {
  return text.split('\n').length - 1
}
