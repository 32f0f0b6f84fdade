import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { memoryInUse, usableMemoryBytes } from '../lib/node-memory.ts'
import { MemoryRoom } from './memory-room.ts'

test('MemoryRoom has none while most of the memory is in use, and asks only now and then (P-109)', () => {
  const clock = new FakeClock()
  const uses = [0.5, 0.86, 0.84]
  let collections = 0
  const room = new MemoryRoom({ clock, inUse: () => uses.shift() ?? 0, collect: () => void collections++ })
  const answers = Array.from({ length: 6 }, () => {
    const answer = room.hasRoom()
    clock.advance(10)
    return answer
  })
  expect(answers).toEqual([true, true, false, false, true, true])
  expect(collections).toBe(1)
})

test('MemoryRoom has garbage collected every five seconds while there is none (P-109)', () => {
  const clock = new FakeClock()
  let collections = 0
  const room = new MemoryRoom({ clock, inUse: () => 0.9, collect: () => void collections++ })
  for (let second = 0; second < 10; second++) {
    room.hasRoom()
    clock.advance(1_000)
  }
  expect(collections).toBe(2)
})

test('this process uses a part of its memory', () => {
  expect(usableMemoryBytes()).toBeGreaterThan(2 ** 28)
  expect(memoryInUse()).toBeGreaterThan(0)
  expect(memoryInUse()).toBeLessThan(1)
})
