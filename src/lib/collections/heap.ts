/** A binary heap that gives the smallest entry and can remove any: entries know their position. */

export interface HeapEntry<T> {
  /** Position in the heap; 0 if in none. Set by the heap only. */
  at: number
  /** A strict order. */
  isBefore(other: T): boolean
}

export class Heap<T extends HeapEntry<T>> {
  /** Starts at index 1: the parent of an entry is at half its index. */
  readonly #entries: T[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The smallest entry. */
  get first(): T | undefined {
    return this.#size === 0 ? undefined : this.#entries[1]
  }

  /** Adds an entry that is in no heap. */
  add(entry: T): void {
    this.#entries[0] ??= entry
    this.#size++
    this.#place(entry, this.#size)
    this.#rise(entry)
  }

  /** Removes an entry of this heap. */
  remove(entry: T): void {
    const last = this.#entries.pop() as T
    const { at } = entry
    entry.at = 0
    this.#size--
    if (last !== entry) {
      this.#place(last, at)
      this.#rise(last)
      this.#sink(last)
    }
    // The placeholder at index 0 must not keep an entry alive.
    if (this.#size === 0) this.#entries.length = 0
  }

  #rise(entry: T): void {
    for (let parent = this.#entries[entry.at >> 1] as T; entry.at > 1 && entry.isBefore(parent); ) {
      const { at } = entry
      this.#place(entry, parent.at)
      this.#place(parent, at)
      parent = this.#entries[entry.at >> 1] as T
    }
  }

  #sink(entry: T): void {
    for (;;) {
      const left = this.#entries[2 * entry.at]
      const right = this.#entries[2 * entry.at + 1]
      const child = right !== undefined && left !== undefined && right.isBefore(left) ? right : left
      if (child === undefined || entry.isBefore(child)) return
      const { at } = entry
      this.#place(entry, child.at)
      this.#place(child, at)
    }
  }

  #place(entry: T, at: number): void {
    this.#entries[at] = entry
    entry.at = at
  }
}
