import { expect, test } from 'vitest'
import { SendSchedule } from './send-schedule.ts'

test('the pairs share the rate, in turn', () => {
  const schedules = [0, 1].map(pair => new SendSchedule(1_000, 100, pair, 2))
  expect(schedules.map(schedule => [0, 1, 50].map(packet => schedule.at(packet)))).toEqual([
    [1_000, 1_020, 2_000],
    [1_010, 1_030, 2_010],
  ])
  expect(schedules.map(schedule => schedule.countBefore(2_000))).toEqual([50, 50])
  expect(schedules.map(schedule => schedule.countBefore(1_000))).toEqual([0, 0])
  expect(schedules[0]?.countBefore(1_020.5)).toBe(2)
})
