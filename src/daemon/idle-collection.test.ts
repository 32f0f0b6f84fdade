import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { IdleCollection, LOOK_MS, MOST_CLIENTS, SILENCE_PACKETS, WORTH_LOGINS } from './idle-collection.ts'

function setUp() {
  const clock = new FakeClock()
  const numbers = { logins: 0, packets: 0, clients: 0 }
  const collections: number[] = []
  const collection = new IdleCollection({
    clock,
    numbers: () => ({ ...numbers }),
    collect: async () => void collections.push(clock.now()),
  })
  collection.start()
  return { clock, numbers, collections, collection }
}

test('garbage of logins is collected once there is silence, and once only', () => {
  const { clock, numbers, collections } = setUp()
  numbers.logins = numbers.clients = WORTH_LOGINS
  clock.advance(LOOK_MS)
  expect(collections).toEqual([])
  clock.advance(10 * LOOK_MS)
  expect(collections).toEqual([2 * LOOK_MS])
  numbers.logins += WORTH_LOGINS
  clock.advance(2 * LOOK_MS)
  expect(collections).toHaveLength(2)
})

test('neither logins nor packets are held up for it, and few logins are not worth it', () => {
  const { clock, numbers, collections } = setUp()
  const pass = (looks: number, act: () => void) => {
    for (let i = 0; i < looks; i++) {
      act()
      clock.advance(LOOK_MS)
    }
  }
  pass(WORTH_LOGINS, () => numbers.logins++)
  pass(10, () => {
    numbers.packets += SILENCE_PACKETS + 1
  })
  expect(collections).toEqual([])
  pass(1, () => {
    numbers.packets += SILENCE_PACKETS
  })
  expect(collections).toHaveLength(1)
  numbers.logins += WORTH_LOGINS - 1
  pass(10, () => {})
  expect(collections).toHaveLength(1)
})

test('it is left undone with so many clients that it would take long, and after the end', () => {
  const { clock, numbers, collections, collection } = setUp()
  numbers.logins = WORTH_LOGINS
  numbers.clients = MOST_CLIENTS + 1
  clock.advance(10 * LOOK_MS)
  expect(collections).toEqual([])
  numbers.clients = MOST_CLIENTS
  collection.stop()
  clock.advance(10 * LOOK_MS)
  expect([collections, clock.pendingTimers]).toEqual([[], 0])
})
