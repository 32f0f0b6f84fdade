/** Counts failures per test over several runs of vitest. */

import { relative } from 'node:path'

/** The part of vitest's JSON report that is read. */
export interface JsonReport {
  readonly testResults: readonly {
    /** Absolute path of the file. */
    readonly name: string
    readonly status: string
    /** Why the file failed to load. */
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: readonly string[] | null
    }[]
  }[]
}

/** One test, or a file that failed to load, over all runs. */
interface TestRecord {
  readonly name: string
  runs: number
  failures: number
  /** First lines of distinct messages. */
  readonly messages: Set<string>
}

/** A run that failed without a failed test: an error outside of tests, or vitest exited. */
const NO_TEST = '(no test failed, but vitest did)'

export class RepeatTally {
  readonly #root: string
  readonly #records = new Map<string, TestRecord>()
  #runs = 0
  #redRuns = 0

  /** @param root base of the paths shown. */
  constructor(root: string) {
    this.#root = root
  }

  /**
   * Adds one run; returns the number of failed tests.
   * @param report undefined if vitest exited without one.
   * @param exitCode of vitest; null if killed by a signal.
   */
  add(report: JsonReport | undefined, exitCode: number | null): number {
    let failed = 0
    for (const { name, status, message, assertionResults } of report?.testResults ?? []) {
      const file = relative(this.#root, name)
      const ran = assertionResults.filter(test => test.status === 'passed' || test.status === 'failed')
      for (const test of ran) {
        const isFailed = test.status === 'failed'
        this.#count(`${file} > ${test.fullName}`, isFailed ? (test.failureMessages?.[0] ?? '') : undefined)
        if (isFailed) failed++
      }
      const isBroken = status === 'failed' && !ran.some(test => test.status === 'failed')
      this.#count(file, isBroken ? message : undefined)
      if (isBroken) failed++
    }
    const isRed = failed > 0 || report === undefined || exitCode !== 0
    this.#count(NO_TEST, isRed && failed === 0 ? `exit code ${exitCode ?? 'none, killed by a signal'}` : undefined)
    this.#runs++
    if (isRed) this.#redRuns++
    return isRed ? Math.max(1, failed) : 0
  }

  get redRuns(): number {
    return this.#redRuns
  }

  /** Failed runs, then tests that failed at least once, the most frequent first. */
  report(): string {
    const failing = [...this.#records.values()]
      .filter(({ failures }) => failures > 0)
      .sort((a, b) => b.failures / b.runs - a.failures / a.runs || a.name.localeCompare(b.name))
    const lines = failing.flatMap(({ name, runs, failures, messages }) => [
      `${rate(failures, runs)}  ${name}`,
      ...[...messages].map(message => `    ${message}`),
    ])
    return [`${rate(this.#redRuns, this.#runs)} of the runs failed`, ...lines, ''].join('\n')
  }

  #count(name: string, failure: string | undefined): void {
    const record = this.#records.get(name) ?? { name, runs: 0, failures: 0, messages: new Set<string>() }
    this.#records.set(name, record)
    record.runs++
    if (failure === undefined) return
    record.failures++
    record.messages.add(failure.split('\n', 1)[0] ?? '')
  }
}

function rate(failures: number, runs: number): string {
  const percent = runs === 0 ? 0 : Math.round((100 * failures) / runs)
  return `${failures}/${runs} (${percent} %)`
}
