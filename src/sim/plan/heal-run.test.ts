import { expect, test } from 'vitest'
import { type Failure, HealRun } from './heal-run.ts'

const heal = (
  failure: Failure,
  relays: number,
  seed: number,
  start = { listens: 350, hasClients: 450, hasNats: 500 },
) => new HealRun({ failure, relays, start, natsGoneMs: 3_000, seed, delay: { minMs: 0.1, maxMs: 0.5 } }).run()

test('a killed relay is reached again once it has its clients and the next attempt to open links is due (P-319)', () => {
  for (const relays of [2, 5]) {
    // Attempts are 100, 200 and 400 ms apart.
    expect(heal('relay', relays, 1)).toBeGreaterThanOrEqual(700)
    expect(heal('relay', relays, 1)).toBeLessThan(900)
    const slow = { listens: 2_000, hasClients: 2_100, hasNats: 2_200 }
    expect(heal('relay', relays, 1, slow)).toBeGreaterThan(1_900)
  }
})

test('packets that come before the clients have returned make other relays search for them (P-311)', () => {
  // The link is open before the clients are there, and NATS comes last.
  expect(heal('relay', 2, 1, { listens: 200, hasClients: 600, hasNats: 1_500 })).toBeGreaterThan(1_300)
})

test('clients that log in without NATS are found soon after all relays have connected again (P-318)', () => {
  const times = [1, 2, 3, 4, 5].map(seed => heal('nats', 3, seed))
  expect(Math.max(...times)).toBeLessThan(700)
  expect(new Set(times).size).toBeGreaterThan(1)
})
