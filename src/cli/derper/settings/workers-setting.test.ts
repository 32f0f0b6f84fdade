import { expect, test } from 'vitest'
import { workersNotes, workersSetting } from './workers-setting.ts'

const LINUX = { platform: 'linux', parallelism: 6 } as const
const MAC = { platform: 'darwin', parallelism: 6 } as const

test.each([
  ['1', 1],
  ['2', 2],
  ['64', 64],
  ['auto', 6],
])('workersSetting reads %s as %i', (workers, count) => {
  expect(workersSetting({ workers }, LINUX)).toBe(count)
  expect(workersNotes({ workers }, LINUX)).toEqual([])
})

test('workersSetting caps auto at the maximum', () => {
  expect(workersSetting({ workers: 'auto' }, { platform: 'linux', parallelism: 256 })).toBe(64)
})

test.each(['0', '65', '-1', '1.5', '', 'all', '1e1', ' 2'])('workersSetting refuses "%s"', workers => {
  expect(() => workersSetting({ workers }, LINUX)).toThrow(
    `set flag -workers to "${workers}": neither a number from 1 to 64 nor "auto"`,
  )
})

test('workersSetting is 1, with a note, on systems that do not balance connections', () => {
  expect([workersSetting({ workers: '4' }, MAC), workersSetting({ workers: 'auto' }, MAC)]).toEqual([1, 1])
  expect(workersNotes({ workers: 'auto' }, MAC)).toEqual([expect.stringContaining('-workers has no effect')])
  expect(workersNotes({ workers: '1' }, MAC)).toEqual([])
  expect(() => workersSetting({ workers: '0' }, MAC)).toThrow('neither')
})
