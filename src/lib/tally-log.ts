/** Logs events that may occur thousands of times: the first at once, then counts per minute. */

import type { Clock, Timer } from './clock.ts'

/** Milliseconds between two lines. */
export const TALLY_INTERVAL_MS = 60_000

/** Occurrences per event since the previous line. */
export type Tally = Readonly<Record<string, number>>

/** Writes the line; `example` belongs to the latest occurrence. */
export type TallyWriter<T> = (tally: Tally, example: T) => void

export class TallyLog<T> {
  readonly #clock: Clock
  readonly #write: TallyWriter<T>
  #tally: Record<string, number> = {}
  #example: { readonly value: T } | undefined
  #isQuiet = false
  #timer: Timer | undefined

  constructor(clock: Clock, write: TallyWriter<T>) {
    this.#clock = clock
    this.#write = write
  }

  /** Counts an occurrence of `what`. */
  note(what: string, example: T): void {
    this.#tally[what] = (this.#tally[what] ?? 0) + 1
    this.#example = { value: example }
    if (!this.#isQuiet) this.#tell()
  }

  /** Writes what is left; what occurs later is not logged. */
  end(): void {
    this.#timer?.cancel()
    this.#isQuiet = true
    this.#writeLeft()
  }

  #tell(): void {
    this.#isQuiet = this.#example !== undefined
    if (!this.#isQuiet) return
    this.#timer = this.#clock.after(TALLY_INTERVAL_MS, () => this.#tell())
    this.#writeLeft()
  }

  #writeLeft(): void {
    if (this.#example === undefined) return
    const [tally, { value }] = [this.#tally, this.#example]
    this.#tally = {}
    this.#example = undefined
    this.#write(tally, value)
  }
}
