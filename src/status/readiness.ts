/** Whether a relay is ready for clients, and why not (P-171). Any component can add checks. */

/** One readiness condition. */
export interface ReadinessCheck {
  /** The subject: one word, or several joined by hyphens. */
  readonly name: string
  /** The problem in words; undefined if there is none. Called for each request, so it must be cheap. */
  readonly problem: () => string | undefined
  /** Clients can tolerate it for a while: the problem is reported, but the relay stays ready. */
  readonly degradesOnly?: boolean | undefined
}

/** A problem with one subject. */
export interface Finding {
  /** Name of the check. */
  readonly name: string
  /** The problem in words. */
  readonly reason: string
}

/** Whether a relay is ready for clients, and what is in the way. */
export interface ReadinessReport {
  /** Whether clients may come. */
  readonly ready: boolean
  /** Problems that make the relay unready. */
  readonly problems: readonly Finding[]
  /** Problems that only degrade it. */
  readonly degraded: readonly Finding[]
}

/** Reports readiness; on another thread of the relay by request. */
export interface ReadinessSource {
  /** Makes all checks. A rejected promise means not ready. */
  report(): ReadinessReport | Promise<ReadinessReport>
}

/**
 * Checks of whether a relay is ready for clients; `/readyz` reports them.
 *
 * @example
 * ```ts
 * const database = { isUp: true }
 * const { readiness } = createRelay({ privateKey })
 * readiness.add({ name: 'database', problem: () => (database.isUp ? undefined : 'it does not answer') })
 * ```
 */
export class Readiness implements ReadinessSource {
  readonly #checks = new Map<string, ReadinessCheck>()
  readonly #groups: (() => readonly ReadinessCheck[])[] = []

  /** @param checks to begin with. */
  constructor(checks: readonly ReadinessCheck[] = []) {
    this.add(...checks)
  }

  /** Adds checks, replacing those of the same name. */
  add(...checks: readonly ReadinessCheck[]): void {
    for (const check of checks) this.#checks.set(check.name, check)
  }

  /** Adds checks that are listed anew each time. */
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
