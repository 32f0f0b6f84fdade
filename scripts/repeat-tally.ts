/** Counts over several runs of vitest which tests failed, and how often. */

import { relative } from 'node:path'

/** What is read of a report of vitest's JSON reporter. */
export interface JsonReport {
  readonly testResults: readonly {
    /** Absolute path of the file. */
    readonly name: string
    readonly status: string
    /** Why the file could not be loaded. */
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: readonly string[] | null
    }[]
  }[]
}

/** One test, or a file that could not be loaded, over all runs. */
interface TestRecord {
  readonly name: string
  runs: number
  failures: number
  /** First lines of the messages, each once. */
  readonly messages: Set<string>
}

/** A run that failed although no test did: an error outside of tests, or vitest itself ended. */
const NO_TEST = '(no test failed, but vitest did)'

export class RepeatTally {
  readonly #root: string
  readonly #records = new Map<string, TestRecord>()
  #runs = 0
  #redRuns = 0

  /** @param root paths are shown relative to it. */
  constructor(root: string) {
    this.#root = root
  }

  /**
   * Adds one run; returns how many of its tests failed.
   * @param report undefined if vitest ended without one.
   * @param exitCode vitest's; null if a signal ended it.
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
    this.#count(NO_TEST, isRed && failed === 0 ? `exit code ${exitCode ?? 'none, ended by a signal'}` : undefined)
    this.#runs++
    if (isRed) this.#redRuns++
    return isRed ? Math.max(1, failed) : 0
  }

  get redRuns(): number {
    return this.#redRuns
  }

  /** The runs that failed, then each test that failed at least once, the most frequent first. */
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
