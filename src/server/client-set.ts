/**
 * All connections of one key, and which of them receives the key's packets.
 *
 * Clauses: P-065 the newest is active, then the last sender; P-066 promotion when the active one leaves.
 */

export class ClientSet<M> {
  /** Undefined for fewer than two: nearly all keys have one connection. */
  #members: Set<M> | undefined
  /**
   * Members by last activity, latest last. A member is added when it writes, or when it joins as a duplicate, except that
   * a key's second connection is not added until it writes: so if the newest of three silent ones leaves, the first takes
   * over.
   */
  #history: Set<M> | undefined
  /** The latest of {@link #history}. */
  #latest: M | undefined
  #active: M | undefined

  /** The connection that receives the key's packets. */
  get active(): M | undefined {
    return this.#active
  }

  /** Whether several connections share the key. */
  get isDuplicate(): boolean {
    return this.#members !== undefined
  }

  get size(): number {
    return this.#members?.size ?? (this.#active === undefined ? 0 : 1)
  }

  /** In the order in which they joined. */
  get members(): Iterable<M> {
    return this.#members ?? (this.#active === undefined ? [] : [this.#active])
  }

  /** Whether the member is active and was the last to show activity. */
  isLatest(member: M): boolean {
    return this.#active === member && this.#latest === member
  }

  add(member: M): void {
    const first = this.#active
    if (first !== undefined) {
      this.#members ??= new Set([first])
      this.#members.add(member)
      this.#note(this.#members.size === 2 ? first : member)
    }
    this.#active = member
  }

  /** A member has sent a frame. */
  noteActivity(member: M): void {
    if (this.#members?.has(member) !== true) return
    this.#active = member
    this.#note(member)
  }

  /** Removes a member; returns whether it was one. */
  remove(member: M): boolean {
    const members = this.#members
    if (members === undefined) return this.#removeOnly(member)
    if (!members.delete(member)) return false
    this.#history?.delete(member)
    if (this.#latest === member) this.#latest = [...(this.#history ?? [])].at(-1)
    if (members.size > 1) {
      this.#active = this.#latest
    } else {
      this.#active = members.values().next().value
      this.#forgetDuplicates()
    }
    return true
  }

  #removeOnly(member: M): boolean {
    if (this.#active !== member) return false
    this.#active = undefined
    return true
  }

  #forgetDuplicates(): void {
    this.#members = undefined
    this.#history = undefined
    this.#latest = undefined
  }

  #note(member: M): void {
    this.#latest = member
    this.#history ??= new Set()
    this.#history.delete(member)
    this.#history.add(member)
  }
}
