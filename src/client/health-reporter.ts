/**
 * Reports the state of a client's connection to a {@link HealthTracker}.
 *
 * Clauses: P-092.
 */

import type { Log } from '../lib/log.ts'

/** Notified when the state of the connection to a relay changes. */
export interface HealthTracker {
  /** A connection was established, or has ended. */
  setConnected(connected: boolean): void
  /** The problem with the connection as reported by the relay; undefined once cleared or disconnected. */
  setProblem(problem: string | undefined): void
}

/** Isolates the connection from exceptions of the tracker, which is called while reading. */
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

  /** A report from the relay; empty clears an earlier problem. */
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
