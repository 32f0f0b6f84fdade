/**
 * A first-in, first-out queue. It keeps memory for its greatest length so far, and allocates none before the first
 * item.
 */

const FIRST_SLOTS = 8

export class Fifo<T> {
  // The number of slots is a power of two, so that positions wrap by a mask.
  #slots: (T | undefined)[] = []
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow()
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item
    this.#length++
  }

  /** Puts an item before all others. */
  pushFirst(item: T): void {
    if (this.#length === this.#slots.length) this.#grow()
    this.#head = (this.#head - 1) & (this.#slots.length - 1)
    this.#slots[this.#head] = item
    this.#length++
  }

  /** Removes and returns the oldest item. */
  take(): T | undefined {
    if (this.#length === 0) return undefined
    const oldest = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    this.#length--
    return oldest
  }

  /** The item at `index`, the oldest at 0; undefined if there is none. */
  at(index: number): T | undefined {
    return index < this.#length ? this.#slots[(this.#head + index) & (this.#slots.length - 1)] : undefined
  }

  #grow(): void {
    const ordered = [...this.#slots.slice(this.#head), ...this.#slots.slice(0, this.#head)]
    const missing = Math.max(FIRST_SLOTS, ordered.length)
    this.#slots = [...ordered, ...Array.from({ length: missing }, () => undefined)]
    this.#head = 0
  }
}
