/**
 * The links that reach one key.
 *
 * Clause: P-075 the oldest link is used, so that packets of one flow take one path.
 */

export class LinkSet<L> {
  readonly #all: L[] = []

  /** The link in use. */
  get preferred(): L | undefined {
    return this.#all[0]
  }

  get size(): number {
    return this.#all.length
  }

  /** Adds a link; returns whether it is new. */
  add(link: L): boolean {
    if (this.#all.includes(link)) return false
    this.#all.push(link)
    return true
  }

  /** Removes a link; returns whether it was there. */
  remove(link: L): boolean {
    const at = this.#all.indexOf(link)
    if (at === -1) return false
    this.#all.splice(at, 1)
    return true
  }
}
