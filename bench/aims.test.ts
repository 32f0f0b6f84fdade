import { describe, expect, test } from 'vitest'
import { AIMS, judge } from './aims.ts'
import type { Results } from './results.ts'
import { ALL_SCENARIOS } from './scenarios/index.ts'

const RESULTS: Results = {
  date: '2026-01-01T00:00Z',
  commit: '0123456789',
  machine: { processor: 'a processor', cores: 2, gigabytes: 4 },
  system: 'linux 6',
  node: '26.0.0',
  go: '1.26.0',
  contenders: [],
  rounds: 3,
  scenarios: [],
}

function withLoginRatio(ratio: number): Results {
  const values = { 'ours-bun': [ratio * 100, ratio * 100, 500], newest: [100, 100, 100] }
  const figure = { id: 'cpu', title: '', unit: 'µs', better: 'less', values } as const
  return { ...RESULTS, scenarios: [{ id: 'login-tls', title: '', figures: [figure] }] }
}

const loginVerdict = (results: Results) => judge(results).find(({ aim }) => aim.scenario === 'login-tls')

describe('aims', () => {
  test('each has a scenario', () => {
    for (const { scenario, figure } of AIMS) {
      const found = ALL_SCENARIOS.find(({ id }) => id === scenario)
      expect(
        found?.figures.map(({ id }) => id),
        scenario,
      ).toContain(figure)
    }
  })

  test('the median decides', () => {
    expect(loginVerdict(withLoginRatio(0.55))).toMatchObject({
      verdict: 'aim reached',
      measured: { median: 0.55, max: 5 },
    })
    expect(loginVerdict(withLoginRatio(0.56))?.verdict).toBe('at least')
    expect(loginVerdict(withLoginRatio(0.86))?.verdict).toBe('missed')
    expect(loginVerdict(RESULTS)?.verdict).toBe('not measured')
  })
})

test('scenario names are unique', () => {
  const ids = ALL_SCENARIOS.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})
