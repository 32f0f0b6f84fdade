/** What is fuzzed: one file of ../targets each. */

export interface FuzzTarget {
  /** What is attacked, and what must hold, for docs/understand/security/fuzzing.md. */
  readonly about: string
  /** Inputs to begin with, besides those of ../corpora. */
  readonly seeds: readonly Uint8Array[]
  /** The building blocks of inputs, besides the texts of the attacked modules. */
  readonly words?: readonly (string | Uint8Array)[]
  /** Longest input. Default: 4096 bytes. */
  readonly maxBytes?: number
  /** What differs between runtimes by their own doing, so that outcomes are not compared. */
  readonly isOfRuntime?: boolean
  /**
   * Runs one input. Throws, or rejects, if an invariant is violated.
   *
   * @returns what an observer has seen: the same for the same input, on every runtime.
   */
  readonly run: (input: Uint8Array) => string | Promise<string>
}

/** Default of {@link FuzzTarget.maxBytes}. */
export const DEFAULT_MAX_BYTES = 4_096

/** An invariant is violated. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** @throws Violation naming `what` must hold. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what)
}

/** Compares two accounts of the same thing. @throws Violation showing both. */
export function mustAgree(what: string, ours: unknown, other: unknown): void {
  const [left, right] = [JSON.stringify(ours), JSON.stringify(other)]
  if (left !== right) throw new Violation(`${what}: ${left} is not ${right}`)
}
