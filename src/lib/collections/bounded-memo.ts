/** Remembers results by text, up to a maximum: when full it starts over, so that invented texts cannot fill memory. */

export class BoundedMemo<T> {
  readonly #maxEntries: number
  readonly #results = new Map<string, T>()

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get size(): number {
    return this.#results.size
  }

  get(text: string): T | undefined {
    return this.#results.get(text)
  }

  set(text: string, result: T): void {
    if (this.#results.size === this.#maxEntries) this.#results.clear()
    this.#results.set(text, result)
  }
}
