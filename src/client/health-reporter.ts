/**
 * Tells a {@link HealthTracker} how a client's connection is.
 *
 * Clauses: P-092.
 */

import type { Log } from '../lib/log.ts'

/** Told how the connection to a relay is doing, when that changes. */
export interface HealthTracker {
  /** A connection was made, or has ended. */
  setConnected(connected: boolean): void
  /** What the relay says is wrong with the connection; undefined when it is well again, or over. */
  setProblem(problem: string | undefined): void
}

/** Keeps the tracker's faults away from the connection: it is called in the middle of reading. */
export class HealthReporter {
  readonly #trackerOf: () => HealthTracker | undefined
  readonly #log: Log
  #connected = false
  #problem: string | undefined

  constructor(trackerOf: () => HealthTracker | undefined, log: Log) {
    this.#trackerOf = trackerOf
    this.#log = log
  }

  connected(): void {
    if (this.#connected) return
    this.#connected = true
    this.#tell(tracker => tracker.setConnected(true))
  }

  /** Disconnecting clears the problem. */
  onEnd(): void {
    this.onHealth('')
    if (!this.#connected) return
    this.#connected = false
    this.#tell(tracker => tracker.setConnected(false))
  }

  /** What the relay says; empty when it takes an earlier problem back. */
  onHealth(text: string): void {
    const problem = text === '' ? undefined : text
    if (this.#problem === problem) return
    this.#problem = problem
    this.#tell(tracker => tracker.setProblem(problem))
  }

  #tell(call: (tracker: HealthTracker) => void): void {
    const tracker = this.#trackerOf()
    if (tracker === undefined) return
    try {
      call(tracker)
    } catch (error) {
      this.#log.error('health tracker failed', { error })
    }
  }
}
