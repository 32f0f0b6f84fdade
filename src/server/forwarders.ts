/**
 * The sibling relays through which one key can be reached.
 *
 * Clause: P-075 the forwarder known longest is used, so that packets of one flow take one way.
 */

export class Forwarders<F> {
  readonly #all: F[] = []

  /** The forwarder in use. */
  get preferred(): F | undefined {
    return this.#all[0]
  }

  get size(): number {
    return this.#all.length
  }

  /** Adds a forwarder; reports whether it is new. */
  add(forwarder: F): boolean {
    if (this.#all.includes(forwarder)) return false
    this.#all.push(forwarder)
    return true
  }

  /** Removes a forwarder; reports whether it was there. */
  remove(forwarder: F): boolean {
    const at = this.#all.indexOf(forwarder)
    if (at === -1) return false
    this.#all.splice(at, 1)
    return true
  }
}
