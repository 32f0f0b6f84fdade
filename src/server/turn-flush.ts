/**
 * What is written at the end of a turn of the event loop: first links to other parts of the relay, then clients.
 *
 * A client must not see a reply before its own packets have left for where the reply's receiver looks for them.
 */

import type { Clock } from '../lib/clock.ts'

/** Something to flush at the end of a turn. */
export interface Flushable {
  flush(): void
}

/** A {@link Flushable} that also has work to do once it has been flushed. */
export interface TurnEnding {
  endTurn(): void
}

export class TurnFlush {
  readonly #clock: Clock
  readonly #onFlushed: () => void
  #first: Flushable[] = []
  #writers: TurnEnding[] = []
  #isScheduled = false

  /** @param onFlushed called when all has been flushed. */
  constructor(clock: Clock, onFlushed: () => void) {
    this.#clock = clock
    this.#onFlushed = onFlushed
  }

  /** Ends the turn of a writer; added once a turn. */
  add(writer: TurnEnding): void {
    if (this.#writers.push(writer) === 1) this.#schedule()
  }

  /** Flushes before all writers. */
  addFirst(link: Flushable): void {
    if (this.#first.push(link) === 1) this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#clock.afterTurn(this.#run)
  }

  readonly #run = (): void => {
    this.#isScheduled = false
    const [first, writers] = [this.#first, this.#writers]
    this.#first = []
    this.#writers = []
    for (const link of first) link.flush()
    for (const writer of writers) writer.endTurn()
    this.#onFlushed()
  }
}
