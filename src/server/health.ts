/** Tells a client what is wrong with its connection, and when that is over (P-092). */

/** What can be wrong, and how clients are told. */
const PROBLEMS = {
  duplicate: 'this node key is connected more than once; packets go to the connection that wrote last',
  limited: 'this client sends faster than the relay allows; it is being slowed down',
} as const

export type Problem = keyof typeof PROBLEMS

export class Health {
  readonly #tell: (text: string) => void
  readonly #problems = new Set<Problem>()

  /** @param tell sends one Health frame. */
  constructor(tell: (text: string) => void) {
    this.#tell = tell
  }

  /** Notes whether a problem exists; the client is told of changes only. */
  set(problem: Problem, exists: boolean): void {
    if (this.#problems.has(problem) === exists) return
    if (exists) this.#problems.add(problem)
    else this.#problems.delete(problem)
    this.#tell(Array.from(this.#problems, name => PROBLEMS[name]).join('; '))
  }
}
