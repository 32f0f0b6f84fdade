/**
 * The links that reach one key.
 *
 * Clause: P-075 the oldest link is used, so that packets of one flow take one path.
 */

export class LinkSet<L> {
  /** The link in use. */
  preferred: L | undefined
  /** Undefined unless there are several, which is rare. */
  #others: L[] | undefined

  get size(): number {
    return (this.preferred === undefined ? 0 : 1) + (this.#others?.length ?? 0)
  }

  /** Adds a link; returns whether it is new. */
  add(link: L): boolean {
    if (this.preferred === undefined) {
      this.preferred = link
      return true
    }
    if (this.preferred === link || this.#others?.includes(link) === true) return false
    this.#others ??= []
    this.#others.push(link)
    return true
  }

  /** Removes a link; returns whether it was there. */
  remove(link: L): boolean {
    if (this.preferred === link) {
      this.preferred = this.#others?.shift()
      return true
    }
    const others = this.#others
    if (others === undefined || !others.includes(link)) return false
    others.splice(others.indexOf(link), 1)
    return true
  }
}
