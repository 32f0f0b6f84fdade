import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { TRAFFIC_INTERVAL_MS, trafficRounds, trafficText } from './debug-traffic.ts'

const at = (id: string, sent: number, received: number) => ({ id, key: `nodekey:${id}`, sent, received })
const before = (...connections: ReturnType<typeof at>[]) => new Map(connections.map(one => [one.id, one]))

test('trafficText has totals of connections with traffic, then an empty line (P-198)', () => {
  const traffic = [at('a', 10, 0), at('b', 5, 5), at('c', 0, 7), at('d', 0, 0), at('e', 1, 9)]
  const last = before(at('a', 9, 0), at('b', 5, 5), at('e', 1, 8), at('gone', 3, 3))
  expect(trafficText(traffic, last)).toBe(
    '{"Sent":10,"Recv":0,"Key":"nodekey:a"}\n{"Sent":0,"Recv":7,"Key":"nodekey:c"}\n{"Sent":1,"Recv":9,"Key":"nodekey:e"}\n\n',
  )
})

test('trafficText is an empty line without traffic (P-198)', () => {
  expect(trafficText([at('a', 1, 1)], before(at('a', 1, 1)))).toBe('\n')
  expect(trafficText([], before())).toBe('\n')
})

test('trafficRounds yields every 2 s, and stops when the reader disconnects (P-198)', async () => {
  const clock = new FakeClock()
  const reader = new AbortController()
  let samples = 0
  const source = { traffic: async () => [at('a', ++samples, 0)] }
  const rounds: string[] = []
  const reading = (async () => {
    for await (const round of trafficRounds(source, clock, reader.signal)) rounds.push(round)
  })()
  await settle()
  for (let n = 1; n <= 3; n++) {
    expect(rounds).toHaveLength(n)
    expect(rounds.at(-1)).toBe(`{"Sent":${n},"Recv":0,"Key":"nodekey:a"}\n\n`)
    clock.advance(TRAFFIC_INTERVAL_MS - 1)
    await settle()
    expect(samples).toBe(n)
    clock.advance(1)
    await settle()
  }
  reader.abort()
  await reading
  expect([clock.pendingTimers, samples]).toEqual([0, 4])
})

test('trafficRounds does not sample while its reader is not reading (P-198)', async () => {
  const clock = new FakeClock()
  let samples = 0
  const source = { traffic: async () => [at('a', ++samples, 0)] }
  const rounds = trafficRounds(source, clock, new AbortController().signal)
  await rounds.next()
  clock.advance(10 * TRAFFIC_INTERVAL_MS)
  await settle()
  expect([samples, clock.pendingTimers]).toEqual([1, 0])
  const next = rounds.next()
  await settle()
  clock.advance(TRAFFIC_INTERVAL_MS)
  await next
  expect(samples).toBe(2)
})
