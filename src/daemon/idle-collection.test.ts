import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { IDLE_PACKETS, IdleCollection, MAX_CLIENTS, MIN_LOGINS, POLL_MS } from './idle-collection.ts'

function setUp() {
  const clock = new FakeClock()
  const counts = { logins: 0, packets: 0, clients: 0 }
  const collections: number[] = []
  const collection = new IdleCollection({
    clock,
    snapshot: () => ({ ...counts }),
    collect: async () => void collections.push(clock.now()),
  })
  collection.start()
  return { clock, counts, collections, collection }
}

test('garbage of logins is collected once when the relay becomes idle', () => {
  const { clock, counts, collections } = setUp()
  counts.logins = counts.clients = MIN_LOGINS
  clock.advance(POLL_MS)
  expect(collections).toEqual([])
  clock.advance(10 * POLL_MS)
  expect(collections).toEqual([2 * POLL_MS])
  counts.logins += MIN_LOGINS
  clock.advance(2 * POLL_MS)
  expect(collections).toHaveLength(2)
})

test('it does not run during logins or traffic, nor after few logins', () => {
  const { clock, counts, collections } = setUp()
  const pass = (polls: number, act: () => void) => {
    for (let i = 0; i < polls; i++) {
      act()
      clock.advance(POLL_MS)
    }
  }
  pass(MIN_LOGINS, () => counts.logins++)
  pass(10, () => {
    counts.packets += IDLE_PACKETS + 1
  })
  expect(collections).toEqual([])
  pass(1, () => {
    counts.packets += IDLE_PACKETS
  })
  expect(collections).toHaveLength(1)
  counts.logins += MIN_LOGINS - 1
  pass(10, () => {})
  expect(collections).toHaveLength(1)
})

test('it does not run with too many clients, nor after stop', () => {
  const { clock, counts, collections, collection } = setUp()
  counts.logins = MIN_LOGINS
  counts.clients = MAX_CLIENTS + 1
  clock.advance(10 * POLL_MS)
  expect(collections).toEqual([])
  counts.clients = MAX_CLIENTS
  collection.stop()
  clock.advance(10 * POLL_MS)
  expect([collections, clock.pendingTimers]).toEqual([[], 0])
})
