import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { memoryInUse, usableMemoryBytes } from '../lib/node-memory.ts'
import { MAX_MEMORY_IN_USE, MemoryRoom } from './memory-room.ts'

test('MemoryRoom has none while most of the memory is in use, and asks only now and then (P-109)', () => {
  const clock = new FakeClock()
  const uses = [0.5, MAX_MEMORY_IN_USE, 0.84]
  let collections = 0
  const room = new MemoryRoom({ clock, inUse: () => uses.shift() ?? 0, collect: async () => void collections++ })
  const answers = Array.from({ length: 6 }, () => {
    const answer = room.hasRoom()
    clock.advance(10)
    return answer
  })
  expect(answers).toEqual([true, true, false, false, true, true])
  expect(collections).toBe(1)
})

test('MemoryRoom has garbage collected every five seconds while there is none, less often if it takes long (P-109)', async () => {
  const clock = new FakeClock()
  let collections = 0
  let tookMs = 0
  const collect = async () => {
    collections++
    clock.advance(tookMs)
  }
  const room = new MemoryRoom({ clock, inUse: () => 0.9, collect })
  const askFor = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      room.hasRoom()
      await settle(1)
      clock.advance(1_000)
    }
  }
  await askFor(5)
  expect(collections).toBe(1)
  await askFor(1)
  expect(collections).toBe(2)
  await askFor(4)
  expect(collections).toBe(2)
  tookMs = 400
  await askFor(20)
  expect(collections).toBe(3)
})

test('this process uses a part of its memory', () => {
  expect(usableMemoryBytes()).toBeGreaterThan(2 ** 28)
  expect(memoryInUse()).toBeGreaterThan(0)
  expect(memoryInUse()).toBeLessThan(1)
})
