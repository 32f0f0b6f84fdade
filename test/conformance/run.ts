/** Registers the suite with vitest, once for each relay. */

import { afterAll, beforeAll, describe, test } from 'vitest'
import { type ConformanceCase, isApplicable } from './case.ts'
import { ALL_CASES } from './cases/index.ts'
import { Target, type TargetOptions } from './target.ts'

/** A relay started for a run. */
export interface StartedTarget {
  readonly options: TargetOptions
  stop(): Promise<void>
}

/** A relay to run the suite on. */
export interface Candidate {
  readonly name: string
  /** Options known before the start; decide which cases apply. */
  readonly shape: Omit<TargetOptions, 'url'> & { readonly tls: boolean; readonly quick?: boolean }
  readonly start: () => Promise<StartedTarget>
}

/**
 * Runs all applicable cases on each relay.
 *
 * Most cases wait more than they work: they run in parallel for all relays, then the others one at a time.
 */
export function conformance(candidates: readonly Candidate[]): void {
  const started = new Map<Candidate, StartedTarget>()
  beforeAll(async () => {
    for (const candidate of candidates) started.set(candidate, await candidate.start())
  })
  afterAll(async () => {
    for (const relay of started.values()) await relay.stop()
  })

  const body = (candidate: Candidate, one: ConformanceCase) => async () => {
    const relay = started.get(candidate)
    if (relay === undefined) throw new Error(`run case ${one.id}: ${candidate.name} was not started`)
    const target = new Target(relay.options)
    try {
      await one.run(target)
    } finally {
      target.closeAll()
    }
  }
  const register = (candidate: Candidate, cases: readonly ConformanceCase[]) => {
    for (const one of cases) test(`${one.id} (${one.clauses.join(', ')})`, body(candidate, one))
  }

  describe.concurrent('side by side', () => {
    for (const candidate of candidates) {
      const cases = applicable(candidate).filter(one => !runsAlone(one))
      describe.concurrent(candidate.name, () => register(candidate, cases))
    }
  })
  describe('one at a time', () => {
    for (const candidate of candidates) {
      describe(candidate.name, () => register(candidate, applicable(candidate).filter(runsAlone)))
    }
  })
}

function applicable({ shape }: Candidate): readonly ConformanceCase[] {
  const probe = new Target({ ...shape, url: shape.tls ? 'https://relay/derp' : 'http://relay/derp' })
  const cases = ALL_CASES.filter(one => isApplicable(one, probe) && !(shape.quick && one.slow))
  // The slowest start first.
  return [...cases.filter(one => one.slow), ...cases.filter(one => !one.slow)]
}

function runsAlone(one: ConformanceCase): boolean {
  return one.alone === true || one.needs?.includes('debug') === true
}
