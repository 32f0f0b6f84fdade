import { expect, test } from 'vitest'
import { Schedule } from '../../src/sim/schedule.ts'

const SCHEDULES = Number(process.env['REGION_SCHEDULES'] ?? 1_000)
const FIRST_SEED = Number(process.env['REGION_SEED'] ?? 1)

test('the invariants of a region hold for random schedules (P-304, P-306 to P-312, P-314 to P-317)', () => {
  const broken: [seed: number, problems: readonly string[]][] = []
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES && broken.length < 5; seed++) {
    const problems = new Schedule(seed).run()
    if (problems.length > 0) broken.push([seed, problems])
  }
  expect(broken).toEqual([])
})
