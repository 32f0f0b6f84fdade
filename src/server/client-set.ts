/**
 * All connections of one key, and which of them receives the key's packets.
 *
 * Clauses: P-065 the newest is active, then the last sender; P-066 promotion when the active one leaves.
 */

export class ClientSet<M> {
  readonly members: Set<M> = new Set()
  /**
   * Members by last activity, latest last. A member is added when it writes, or when it joins as a duplicate, except that
   * a key's second connection is not added until it writes: so if the newest of three silent ones leaves, the first takes
   * over.
   */
  readonly #history = new Set<M>()
  /** The latest of {@link #history}. */
  #latest: M | undefined
  #last: M | undefined
  #active: M | undefined

  /** The connection that receives the key's packets. */
  get active(): M | undefined {
    return this.#active
  }

  /** Whether several connections share the key. */
  get isDuplicate(): boolean {
    return this.members.size > 1
  }

  /** Whether the member is active and was the last to show activity. */
  isLatest(member: M): boolean {
    return this.#active === member && this.#latest === member
  }

  add(member: M): void {
    const first = this.#active
    this.members.add(member)
    if (this.members.size === 2 && first !== undefined) this.#note(first)
    else if (this.members.size > 2) this.#note(member)
    this.#last = member
    this.#active = member
  }

  /** A member has sent a frame. */
  noteActivity(member: M): void {
    if (!this.isDuplicate || !this.members.has(member)) return
    this.#last = member
    this.#active = member
    this.#note(member)
  }

  /** Removes a member; returns whether it was one. */
  remove(member: M): boolean {
    if (!this.members.delete(member)) return false
    this.#history.delete(member)
    if (this.#latest === member) this.#latest = [...this.#history].at(-1)
    if (this.#last === member) this.#last = this.#latest
    if (this.members.size > 1) {
      this.#active = this.#last
    } else {
      this.#active = this.members.values().next().value
      this.#last = undefined
      this.#history.clear()
      this.#latest = undefined
    }
    return true
  }

  #note(member: M): void {
    this.#latest = member
    this.#history.delete(member)
    this.#history.add(member)
  }
}
