/** Staggered attempts that do not wait for each other's failure (as in RFC 8305, section 5). */

import { abortedError, onAbort } from '../../lib/abort.ts'
import type { Clock, Timer } from '../../lib/clock.ts'

/** Starts at once and ends soon after `signal` is aborted. */
export type RaceAttempt<T> = (signal: AbortSignal) => Promise<T>

export interface StaggeredRace<T> {
  /** At least one, most promising first. */
  readonly attempts: readonly RaceAttempt<T>[]
  /** Milliseconds before the next one starts, unless one has failed meanwhile; with 0 all start together. */
  readonly staggerMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Name of the race in messages. */
  readonly action: string
  /** Disposes of a late result. */
  readonly discard: (late: T) => void
}

/**
 * Resolves to the first success; the other attempts are aborted.
 *
 * @throws AggregateError with all errors, in order, if there is none.
 */
export function raceStaggered<T>(race: StaggeredRace<T>): Promise<T> {
  return new Runner(race).run()
}

class Runner<T> {
  readonly #race: StaggeredRace<T>
  readonly #losers = new AbortController()
  readonly #signal: AbortSignal
  readonly #outcome = Promise.withResolvers<T>()
  readonly #errors: unknown[] = []
  #next = 0
  #timer: Timer | undefined
  #isOver = false

  constructor(race: StaggeredRace<T>) {
    this.#race = race
    this.#signal = AbortSignal.any([race.signal, this.#losers.signal])
  }

  async run(): Promise<T> {
    const { signal, action } = this.#race
    const stopListening = onAbort(signal, aborted => {
      this.#isOver = true
      this.#outcome.reject(abortedError(action, aborted))
    })
    this.#beginNext()
    try {
      return await this.#outcome.promise
    } finally {
      this.#isOver = true
      this.#timer?.cancel()
      stopListening()
      this.#losers.abort()
    }
  }

  #beginNext(): void {
    this.#timer?.cancel()
    if (this.#isOver) return
    const { attempts, staggerMs, clock } = this.#race
    do {
      const attempt = attempts[this.#next++]
      if (attempt === undefined) return
      attempt(this.#signal).then(
        value => this.#succeed(value),
        error => this.#fail(error),
      )
    } while (staggerMs === 0)
    if (this.#next < attempts.length) this.#timer = clock.after(staggerMs, () => this.#beginNext())
  }

  #succeed(value: T): void {
    if (this.#isOver) {
      this.#race.discard(value)
      return
    }
    this.#isOver = true
    this.#outcome.resolve(value)
  }

  #fail(error: unknown): void {
    this.#errors.push(error)
    if (this.#errors.length === this.#race.attempts.length) this.#outcome.reject(new AggregateError(this.#errors))
    else this.#beginNext()
  }
}
