/** A fast random sequence that its seed repeats. */

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }

  /** A whole number from 0 to below `below`. */
  below(below: number): number {
    return below <= 1 ? 0 : this.#next() % below
  }

  byte(): number {
    return this.#next() & 0xff
  }

  isOneIn(times: number): boolean {
    return this.below(times) === 0
  }

  /** @throws Error if there is none. */
  oneOf<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new Error('choose at random: nothing to choose from')
    return choices[this.below(choices.length)] as T
  }

  /** A length: short ones are more likely. */
  length(max: number): number {
    return 1 + this.below(Math.max(1, Math.min(max, 1 << this.below(12))))
  }

  #next(): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return this.#state >>> 0
  }
}
