/** Whether a relay is fit to take clients, and why not (P-171). Whoever knows of a condition adds a check. */

/** One thing that must be as it should be. */
export interface ReadinessCheck {
  /** What it is about, as a word or several with hyphens. */
  readonly name: string
  /** What is wrong, in words; undefined when nothing is. Called for each request, so it only looks. */
  readonly problem: () => string | undefined
  /** Clients can do without it for a while: a problem is told, and the relay stays ready. */
  readonly degradesOnly?: boolean | undefined
}

/** What is wrong with one thing. */
export interface Finding {
  readonly name: string
  readonly reason: string
}

export interface ReadinessReport {
  readonly ready: boolean
  /** What keeps the relay from being ready. */
  readonly problems: readonly Finding[]
  /** What does not, though it is not as it should be. */
  readonly degraded: readonly Finding[]
}

/** Knows whether a relay is fit; another thread of it has to ask. */
export interface ReadinessSource {
  /** A rejected promise means that it is not. */
  report(): ReadinessReport | Promise<ReadinessReport>
}

export class Readiness implements ReadinessSource {
  readonly #checks = new Map<string, ReadinessCheck>()
  readonly #groups: (() => readonly ReadinessCheck[])[] = []

  constructor(checks: readonly ReadinessCheck[] = []) {
    this.add(...checks)
  }

  /** One of the same name gives way. */
  add(...checks: readonly ReadinessCheck[]): void {
    for (const check of checks) this.#checks.set(check.name, check)
  }

  /** Adds checks that may be others each time. */
  addGroup(group: () => readonly ReadinessCheck[]): void {
    this.#groups.push(group)
  }

  report(): ReadinessReport {
    const problems: Finding[] = []
    const degraded: Finding[] = []
    for (const check of [...this.#checks.values(), ...this.#groups.flatMap(group => group())]) {
      const reason = check.problem()
      if (reason === undefined) continue
      const found = check.degradesOnly === true ? degraded : problems
      found.push({ name: check.name, reason })
    }
    return { ready: problems.length === 0, problems, degraded }
  }
}
