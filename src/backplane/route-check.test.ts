import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { keyOf } from '../../test/support/whereabouts-scene.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { Inquiries } from './inquiries.ts'
import { LIST_PART_MS, MAX_KEYS } from './limits.ts'
import type { RemoteRoute } from './remote-route.ts'
import type { RouteCache } from './route-cache.ts'
import { RouteCheck } from './route-check.ts'

/** A check of that many routes. */
function setUp(count: number) {
  const clock = new FakeClock()
  const all = Array.from({ length: count }, (_, n) => ({ key: keyOf(n) }) as RemoteRoute)
  const routes = { generation: 1, [Symbol.iterator]: () => all[Symbol.iterator]() } as unknown as RouteCache
  const asked: { keys: readonly NodePublicKey[]; end: (isAnswered: boolean) => void }[] = []
  const pruned: { routes: readonly RemoteRoute[]; generation: number }[] = []
  const check = new RouteCheck({
    clock,
    routes,
    inquiries: {
      ask: (keys: readonly NodePublicKey[], end: (isAnswered: boolean) => void) => void asked.push({ keys, end }),
    } as unknown as Inquiries,
    prune: (routes, generation) => void pruned.push({ routes, generation }),
  })
  const askedKeys = () => asked.map(({ keys }) => keys.length)
  return { clock, all, routes, asked, askedKeys, pruned, check }
}

test('all routes are queried once, 1,000 at a time (P-312)', () => {
  const { clock, all, asked, askedKeys, check } = setUp(2 * MAX_KEYS + 1)
  check.start()
  expect(askedKeys()).toEqual([MAX_KEYS])
  clock.advance(LIST_PART_MS - 1)
  expect(askedKeys()).toEqual([MAX_KEYS])
  clock.advance(1)
  expect(askedKeys()).toEqual([MAX_KEYS, MAX_KEYS])
  clock.advance(LIST_PART_MS)
  expect(askedKeys()).toEqual([MAX_KEYS, MAX_KEYS, 1])
  clock.advance(LIST_PART_MS)
  expect([askedKeys().length, clock.pendingTimers]).toEqual([3, 0])
  expect(new Set(asked.flatMap(({ keys }) => keys))).toEqual(new Set(all.map(({ key }) => key)))
})

test('routes not confirmed since their query are ended once all relays have responded, not before (P-312)', () => {
  const { clock, all, routes, asked, pruned, check } = setUp(MAX_KEYS + 2)
  check.start()
  clock.advance(LIST_PART_MS)
  expect(routes.generation).toBe(3)
  asked[0]?.end(false)
  expect(pruned).toEqual([])
  asked[1]?.end(true)
  expect(pruned).toEqual([{ routes: all.slice(0, 2), generation: 3 }])
})

test('a check starts anew without going on with the one before, and stops (P-312)', () => {
  const { clock, askedKeys, check } = setUp(3 * MAX_KEYS)
  check.start()
  check.start()
  expect([askedKeys().length, clock.pendingTimers]).toEqual([2, 1])
  clock.advance(LIST_PART_MS)
  expect([askedKeys().length, clock.pendingTimers]).toEqual([3, 1])
  check.stop()
  clock.advance(10 * LIST_PART_MS)
  expect([askedKeys().length, clock.pendingTimers]).toEqual([3, 0])
})
