/** Reports problems with its connection to a client, and when they are over (P-092). */

/** Possible problems, and their wording for clients. */
const PROBLEMS = {
  duplicate: 'this node key is connected more than once; packets go to the connection that wrote last',
  limited: 'this client sends faster than the relay allows; it is being slowed down',
} as const

export type Problem = keyof typeof PROBLEMS

export class Health {
  readonly #tell: (text: string) => void
  readonly #problems = new Set<Problem>()

  /** @param tell sends a Health frame. */
  constructor(tell: (text: string) => void) {
    this.#tell = tell
  }

  /** Sets whether a problem exists; the client is told of changes only. */
  set(problem: Problem, exists: boolean): void {
    if (this.#problems.has(problem) === exists) return
    if (exists) this.#problems.add(problem)
    else this.#problems.delete(problem)
    this.#tell(Array.from(this.#problems, name => PROBLEMS[name]).join('; '))
  }
}
