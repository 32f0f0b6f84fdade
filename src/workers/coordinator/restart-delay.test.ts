import { expect, test } from 'vitest'
import { RestartDelay } from './restart-delay.ts'

test('RestartDelay restarts a worker at once, and waits longer each time it exits early', () => {
  const delay = new RestartDelay()
  expect(delay.afterEnd(3_600_000)).toBe(0)
  expect([1, 2, 3, 4].map(() => delay.afterEnd(100))).toEqual([250, 500, 1_000, 2_000])
  for (let n = 0; n < 20; n++) delay.afterEnd(100)
  expect(delay.afterEnd(100)).toBe(30_000)
  expect(delay.afterEnd(60_000)).toBe(0)
  expect(delay.afterEnd(0)).toBe(250)
})
