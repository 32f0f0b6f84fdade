import { expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import { RegionCounters } from '../metrics/region-counters.ts'
import type { RegionHost } from '../server/region-ports.ts'
import { ROUTE_IDLE_MS } from './limits.ts'
import type { Neighbour } from './neighbour.ts'
import type { RemoteRoute } from './remote-route.ts'
import { RouteCache } from './route-cache.ts'
import { UNKNOWN_TIME } from './stamp.ts'

/** Within which `look` checks all routes. */
const ROUND_MS = ROUTE_IDLE_MS / 12

const key = (n: number) => NodePublicKey.fromBytes(new Uint8Array(32).fill(n))
const numberOf = ({ bytes }: NodePublicKey) => bytes[0] as number

function setUp(maxRoutes?: number) {
  const counters = new RegionCounters()
  const awaited = new Set<number>()
  const log: string[] = []
  const host = {
    isAwaited: (bytes: Uint8Array, offset: number) => awaited.has(bytes[offset] as number),
    keyLeft: (left: NodePublicKey) => log.push(`${numberOf(left)} left`),
  } as unknown as RegionHost
  const onDoubt = (doubted: NodePublicKey) => log.push(`doubts ${numberOf(doubted)}`)
  const cache = new RouteCache({ host, counters, onDoubt, maxRoutes })
  /** A relay that records its routes. */
  const relay = (id: string) => {
    const announce = (to: NodePublicKey, isNewest: boolean) =>
      log.push(`${id} announces ${numberOf(to)}${isNewest ? ' as newest' : ''}`)
    const forget = (to: NodePublicKey) => log.push(`${id} forgets ${numberOf(to)}`)
    const withdraw = (to: NodePublicKey) => log.push(`${id} withdraws ${numberOf(to)}`)
    return { id, routes: { announce, forget, withdraw } } as unknown as Neighbour
  }
  const [a, b] = [relay('a'), relay('b')]
  const note = (n: number, { at = a, time = 1, nowMs = 0 } = {}) => cache.note(key(n), { neighbour: at, time }, nowMs)
  const open = (n: number, isNewest = false) => {
    const route = note(n)
    cache.open(route, isNewest, 0)
    return route
  }
  return {
    cache,
    counters,
    awaited,
    b,
    note,
    open,
    /** Opens routes to that many keys, counted from 1. */
    openMany: (count: number) => Array.from({ length: count }, (_, at) => open(at + 1)),
    take: () => log.splice(0),
  }
}

/** Numbers of the keys with open routes. */
const openOf = (cache: RouteCache) => Array.from(cache).flatMap(({ isOpen, key }) => (isOpen ? [numberOf(key)] : []))

/** Numbers of the routes that were checked since the last call. */
function checked(routes: readonly RemoteRoute[]): number[] {
  const some = routes.filter(({ isUsed }) => !isUsed)
  for (const route of some) route.isUsed = true
  return some.map(({ key }) => numberOf(key))
}

const numbers = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at)

test('a route is open once, however often it is opened (P-304, P-314)', () => {
  const { cache, open, take } = setUp()
  const route = open(1)
  cache.open(route, true, 0)
  expect([cache.openRoutes, cache.size, route.isOpen, route.isNewest]).toEqual([1, 1, true, true])
  expect(take()).toEqual(['a announces 1', 'a announces 1 as newest'])
})

test('a route that is closed is forgotten, unless a client is to be told of its key (P-314, P-315)', () => {
  const { cache, awaited, open, take } = setUp()
  awaited.add(2)
  const [first, second] = [open(1), open(2, true)]
  take()
  cache.close(first)
  cache.close(second)
  expect(take()).toEqual(['a forgets 1', 'a forgets 2'])
  expect([cache.openRoutes, cache.size, cache.get(key(2).bytes)]).toEqual([0, 1, second])
  expect([second.isOpen, second.isNewest]).toEqual([false, false])
  awaited.clear()
  cache.close(second)
  expect([take(), cache.openRoutes, cache.size]).toEqual([[], 0, 0])
})

test('closing the route to an awaited key at an unknown relay raises a doubt (P-315)', () => {
  const { cache, awaited, note, take } = setUp()
  awaited.add(1).add(2)
  cache.close(note(1))
  cache.close(note(2, { time: UNKNOWN_TIME }))
  cache.close(note(3, { time: UNKNOWN_TIME }))
  expect(take()).toEqual(['doubts 2'])
})

test('a key that leaves is withdrawn if its route is open, and reported otherwise (P-315)', () => {
  const { cache, note, open, take } = setUp()
  const [opened, noted] = [open(1), note(2)]
  open(3)
  take()
  cache.leave(opened)
  cache.leave(noted)
  expect(take()).toEqual(['a withdraws 1', '2 left'])
  expect([cache.openRoutes, cache.size, opened.isOpen]).toEqual([1, 1, false])
})

test('a route moves with its key, open or not, and repeating its place changes nothing (P-304)', () => {
  const { cache, b, note, open, take } = setUp()
  const [opened, noted] = [open(1, true), note(2)]
  take()
  note(1, { time: 2 })
  expect([take(), opened.time]).toEqual([[], 2])
  for (const n of [1, 2]) note(n, { at: b, time: 3 })
  expect(take()).toEqual(['a forgets 1', 'b announces 1 as newest'])
  expect([opened.neighbour, noted.neighbour, [...cache.over(b)].length]).toEqual([b, b, 2])
})

test('in 10 s all routes are checked, in turn and evenly (P-314)', () => {
  const { cache, openMany } = setUp()
  const routes = openMany(100)
  cache.look(ROUND_MS / 10)
  expect(checked(routes)).toEqual(numbers(1, 10))
  cache.look(ROUND_MS / 5)
  expect(checked(routes)).toEqual(numbers(11, 10))
  cache.look(ROUND_MS)
  expect(checked(routes)).toEqual(numbers(21, 80))
  cache.look(ROUND_MS * 1.1)
  expect(checked(routes)).toEqual(numbers(1, 10))
})

test('after a long pause each route is checked once (P-314)', () => {
  const { cache, openMany } = setUp()
  const routes = openMany(10)
  cache.look(ROUND_MS * 5.5)
  expect(checked(routes)).toEqual(numbers(1, 10))
  cache.look(ROUND_MS * 5.6)
  expect(checked(routes)).toEqual([1])
})

test('a route expires 120 s after the check that found it used (P-314)', () => {
  const { cache, counters, open } = setUp()
  const route = open(1)
  cache.look(ROUND_MS)
  cache.look(ROUND_MS + ROUTE_IDLE_MS - 1)
  expect([route.isOpen, counters.routesIdled]).toEqual([true, 0])
  cache.look(2 * ROUND_MS + ROUTE_IDLE_MS)
  expect([route.isOpen, counters.routesIdled, cache.size]).toEqual([false, 1, 0])
})

test('a route expires after exactly 120 s, one to a newest login never (P-304, P-314)', () => {
  const { cache, counters, open } = setUp()
  const [route, newest] = [open(1), open(2, true)]
  cache.look(ROUND_MS)
  cache.look(ROUND_MS + ROUTE_IDLE_MS)
  expect([route.isOpen, newest.isOpen, counters.routesIdled]).toEqual([false, true, 1])
})

test('a route that is only kept for clients to be told expires without being counted (P-314, P-315)', () => {
  const { cache, counters, awaited, note } = setUp()
  awaited.add(1)
  note(1)
  cache.look(ROUND_MS)
  awaited.clear()
  cache.look(ROUND_MS + ROUTE_IDLE_MS)
  expect([cache.size, counters.routesIdled]).toEqual([0, 0])
})

test('the first route that was not used lately makes room for another (P-314)', () => {
  const { cache, counters, open, openMany } = setUp(4)
  const [, , third, fourth] = openMany(4)
  for (const route of [third, fourth]) if (route !== undefined) route.isUsed = false
  open(5)
  expect([openOf(cache), counters.routesDisplaced, cache.openRoutes]).toEqual([[1, 2, 4, 5], 1, 4])
  open(6)
  expect(openOf(cache)).toEqual([1, 2, 5, 6])
  // The first two have been passed over once, and were not used since.
  open(7)
  expect(openOf(cache)).toEqual([2, 5, 6, 7])
})

test('of 50 routes that are all in use the last one makes room (P-314)', () => {
  const { cache, open, openMany } = setUp(60)
  openMany(60)
  open(61)
  expect(openOf(cache)).toEqual([...numbers(1, 49), ...numbers(51, 11)])
})

test('routes that are not open or lead to a newest login do not make room (P-304, P-314)', () => {
  const { cache, counters, awaited, note, open } = setUp(2)
  awaited.add(1)
  const routes = [note(1), open(2, true), open(3)]
  for (const route of routes) route.isUsed = false
  open(4, true)
  expect([openOf(cache), counters.routesDisplaced]).toEqual([[2, 4], 1])
  open(5)
  expect([openOf(cache), counters.routesDisplaced]).toEqual([[2, 4, 5], 1])
  expect(cache.size).toBe(4)
})

test('a route that is opened again counts as used (P-314)', () => {
  const { cache, awaited, open } = setUp(2)
  awaited.add(1)
  const route = open(1)
  route.isUsed = false
  cache.close(route)
  cache.open(route, false, 0)
  const other = open(2)
  other.isUsed = false
  open(3)
  expect(openOf(cache)).toEqual([1, 3])
})
