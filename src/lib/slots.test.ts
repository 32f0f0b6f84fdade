import { expect, test } from 'vitest'
import { settle } from '../../test/support/settle.ts'
import { Slots } from './slots.ts'

/** Tasks that record their start, and end when the test says so. */
function works(slots: Slots, signal?: AbortSignal) {
  const begun: number[] = []
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<number>())
  const results = ends.map(({ promise }, at) =>
    slots.run('work', signal, () => {
      begun.push(at)
      return promise
    }),
  )
  return { begun, ends, results }
}

test('Slots runs a bounded number of tasks, and the others in order', async () => {
  const slots = new Slots(2)
  const { begun, ends, results } = works(slots)
  await settle()
  expect([begun, slots.waiting]).toEqual([[0, 1], 2])
  ends[1]?.resolve(1)
  await results[1]
  await settle()
  expect(begun).toEqual([0, 1, 2])
  ends[0]?.reject(new Error('failed'))
  await expect(results[0]).rejects.toThrow('failed')
  ends[2]?.resolve(2)
  ends[3]?.resolve(3)
  expect(await Promise.all(results.slice(1))).toEqual([1, 2, 3])
  expect(begun).toEqual([0, 1, 2, 3])
})

test('Slots drops aborted waiters, and does not affect running tasks', async () => {
  const slots = new Slots(1)
  const stop = new AbortController()
  const { begun, ends, results } = works(slots, stop.signal)
  await settle()
  stop.abort()
  for (const result of results.slice(1)) await expect(result).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect(slots.waiting).toBe(0)
  ends[0]?.resolve(0)
  expect([await results[0], begun]).toEqual([0, [0]])
  expect(await slots.run('work', undefined, async () => 'next')).toBe('next')
  await expect(slots.run('work', stop.signal, async () => 'at once')).resolves.toBe('at once')
})
