import { expect, test } from 'vitest'
import { memoryFor, sharedNumbers } from './shared-numbers.ts'
import { createStunCounts } from './stun-calls.ts'

test('sharedNumbers are shared by all threads with the same memory', () => {
  const memory = memoryFor(createStunCounts())
  const [writer, reader] = [sharedNumbers(createStunCounts(), memory), sharedNumbers(createStunCounts(), memory)]
  writer.counters.success++
  writer.requests.refused.rateLimited.ipv6 += 3
  const { counters, requests } = createStunCounts()
  expect(reader).toEqual({
    counters: { ...counters, success: 1 },
    requests: { ...requests, refused: { ...requests.refused, rateLimited: { ipv4: 0, ipv6: 3 } } },
  })
})
