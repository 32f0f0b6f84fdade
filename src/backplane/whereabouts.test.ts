import { expect, test } from 'vitest'
import { keyOf, LATEST_TIME, WhereaboutsScene } from '../../test/support/whereabouts-scene.ts'
import { UNKNOWN_TIME } from './stamp.ts'

/** A key that most tests are about. */
const K = 9

function routeOf(scene: WhereaboutsScene, n = K) {
  return scene.routes.get(keyOf(n).bytes)
}

test('a login closes a route that was learned from a packet, and keeps one to a known login (P-304, P-314)', () => {
  const scene = new WhereaboutsScene()
  scene.awaited.add(K + 1)
  scene.taught(scene.keyOfA, K)
  scene.heard(scene.a, [K + 1, 10])
  scene.taught(scene.keyOfA, K + 1)
  scene.take()
  scene.login(K, 20)
  scene.login(K + 1, 30)
  expect(scene.take()).toEqual([`forget ${K} at A`, `here ${K} since 20`, `here ${K + 1} since 30`])
  expect([routeOf(scene), routeOf(scene, K + 1)?.isOpen]).toEqual([undefined, true])
})

test('a login ends what was cached about the key, and gets the packets that wait for it (P-309, P-310)', () => {
  const scene = new WhereaboutsScene()
  scene.send(K)
  scene.takeAsked()[0]?.end(true)
  expect([scene.finder.nobodies, scene.take()]).toEqual([1, [`left ${K}`]])
  scene.send(K + 1)
  scene.login(K, 10)
  scene.login(K + 1, 20)
  expect(scene.finder.nobodies).toBe(0)
  expect(scene.take()).toEqual([`here ${K} since 10`, `here ${K + 1} since 20`, `packet to ${K + 1}`])
})

test('the end of an older connection changes nothing; that of the newest announces the older one (P-305, P-307)', () => {
  const scene = new WhereaboutsScene()
  const [first, , third] = [scene.login(K, 10), scene.login(K, 20), scene.login(K, 30)]
  scene.take()
  scene.whereabouts.loggedOut(first)
  expect(scene.take()).toEqual([])
  scene.whereabouts.loggedOut(third)
  expect(scene.take()).toEqual([`gone ${K} since 30`, `here ${K} since 20`])
})

test('when the newest connection ends, a route is preferred to an older one only if it is newer (P-304, P-307)', () => {
  for (const [time, events] of [
    [15, ['prefer']],
    [5, []],
  ] as const) {
    const scene = new WhereaboutsScene()
    scene.login(K, 10)
    scene.heard(scene.a, [K, time])
    const newest = scene.login(K, 20)
    scene.take()
    scene.whereabouts.loggedOut(newest)
    expect(scene.take().slice(2)).toEqual(events.map(verb => `${verb} ${K} at A`))
    expect(routeOf(scene)?.isNewest).toBe(time > 10)
  }
})

test('a route decides between logins no longer when the last connection here has ended (P-314)', () => {
  const scene = new WhereaboutsScene()
  const member = scene.login(K, 10)
  scene.heard(scene.a, [K, 20])
  expect(routeOf(scene)).toMatchObject({ isOpen: true, isNewest: true })
  scene.whereabouts.loggedOut(member)
  expect(routeOf(scene)).toMatchObject({ isOpen: true, isNewest: false })
})

test('a relay ignores keys that nothing here is about, and reads nothing beyond the list (P-305)', () => {
  const scene = new WhereaboutsScene()
  scene.heard(scene.a, [K, 10], [K + 1, 20])
  expect([scene.routes.size, scene.awaitedReads, scene.take()]).toEqual([0, [K, K + 1], []])
  scene.awaited.add(K)
  scene.heard(scene.a, [K, 10], [K + 1, 20])
  expect([scene.routes.size, scene.routes.openRoutes]).toEqual([1, 0])
  expect(routeOf(scene)?.stamp).toEqual({ time: 10, relay: scene.a.id })
})

test('an announced key gets the packets that wait for it; one searched for without packets, no route in use (P-310)', () => {
  const scene = new WhereaboutsScene()
  scene.send(K)
  scene.finder.look(keyOf(K + 1))
  scene.heard(scene.a, [K, 10], [K + 1, 20])
  expect(scene.take()).toEqual([`open ${K} at A`, `packet to ${K}`])
  expect([scene.routes.openRoutes, scene.routes.size, scene.counters.found]).toEqual([1, 2, 2])
})

test('a route stays in use when its key is announced again (P-305)', () => {
  const scene = new WhereaboutsScene()
  scene.taught(scene.keyOfA, K)
  scene.heard(scene.b, [K, 10])
  expect([routeOf(scene)?.neighbour, routeOf(scene)?.isOpen]).toEqual([scene.b, true])
  expect(scene.take()).toEqual([`open ${K} at A`, `forget ${K} at A`, `open ${K} at B`])
})

test('a login that has ended does not end the route to a newer one, or one to another relay (P-305)', () => {
  const scene = new WhereaboutsScene()
  scene.awaited.add(K)
  scene.heard(scene.a, [K, 20])
  scene.gone(scene.a, [K, 19])
  scene.gone(scene.b, [K, 20])
  expect([routeOf(scene)?.time, scene.take()]).toEqual([20, []])
  scene.gone(scene.a, [K, 20])
  expect([routeOf(scene), scene.take()]).toEqual([undefined, [`left ${K}`]])
})

test('an older login is answered, unless another relay has a newer one than both (P-306)', () => {
  const scene = new WhereaboutsScene()
  scene.login(K, 10)
  scene.take()
  scene.heard(scene.a, [K, 5])
  expect(scene.take()).toEqual([`tell A of ${K} since 10`, `open ${K} at A`])
  scene.heard(scene.b, [K, 20])
  scene.take()
  scene.heard(scene.a, [K, 5])
  expect([scene.take(), routeOf(scene)?.neighbour]).toEqual([[], scene.b])
})

test('a relay whose newest login has become an older one makes the one here the newest (P-307)', () => {
  const scene = new WhereaboutsScene()
  scene.login(K, 10)
  scene.heard(scene.a, [K, 20])
  scene.take()
  scene.heard(scene.a, [K, 5])
  expect(scene.take()).toEqual([`open ${K} at A`, `here ${K} since 10`])
  scene.heard(scene.a, [K, 20])
  scene.take()
  scene.heard(scene.a, [K, 21])
  expect(scene.take()).toEqual([`prefer ${K} at A`])
})

test('superseded opens a route to the newer login, and is ignored without an older one here (P-304, P-306)', () => {
  const scene = new WhereaboutsScene()
  scene.whereabouts.superseded(scene.a, keyOf(K), 20)
  scene.login(K, 10)
  scene.whereabouts.superseded(scene.a, keyOf(K), 5)
  expect([scene.take(), scene.routes.size]).toEqual([[`here ${K} since 10`], 0])
  scene.whereabouts.superseded(scene.a, keyOf(K), 20)
  expect([scene.take(), scene.counters.superseded]).toEqual([[`prefer ${K} at A`], 3])
})

test('superseded does not replace a route to an even newer login (P-304)', () => {
  const scene = new WhereaboutsScene()
  scene.login(K, 10)
  scene.heard(scene.b, [K, 30])
  scene.take()
  scene.whereabouts.superseded(scene.a, keyOf(K), 20)
  expect([scene.take(), routeOf(scene)?.neighbour]).toEqual([[], scene.b])
})

test('logins with a time too far ahead are ignored and counted (P-303)', () => {
  const scene = new WhereaboutsScene()
  scene.login(K, 10)
  scene.take()
  scene.heard(scene.a, [K, LATEST_TIME + 1])
  scene.whereabouts.superseded(scene.a, keyOf(K), LATEST_TIME + 1)
  expect([scene.take(), scene.routes.size, scene.counters.timesRefused]).toEqual([[], 0, 2])
})

test('a packet is use of an open route, and opens one to its relay for the packets that wait (P-310, P-314)', () => {
  const scene = new WhereaboutsScene()
  scene.send(K)
  scene.taught(scene.keyOfA, K)
  const route = routeOf(scene)
  expect([scene.take(), route?.time]).toEqual([[`open ${K} at A`, `packet to ${K}`], UNKNOWN_TIME])
  if (route !== undefined) route.isUsed = false
  scene.taught(scene.keyOfA, K)
  expect([scene.take(), route?.isUsed]).toEqual([[], true])
})

test('a packet from another connection of a key that is connected here creates no route (P-314)', () => {
  const scene = new WhereaboutsScene()
  scene.login(K, 10)
  scene.taught(scene.keyOfA, K)
  expect(scene.routes.size).toBe(0)
})

test('a misrouted packet drops the route to that relay, and announces a login here if that was older (P-307, P-311)', () => {
  const scene = new WhereaboutsScene()
  scene.login(K, 10)
  scene.heard(scene.a, [K, 5])
  scene.take()
  scene.whereabouts.notHere(scene.b, keyOf(K))
  expect([scene.routes.size, scene.take()]).toEqual([1, []])
  scene.whereabouts.notHere(scene.a, keyOf(K))
  expect([scene.routes.size, scene.take()]).toEqual([0, [`forget ${K} at A`]])
  scene.heard(scene.a, [K, 20])
  scene.take()
  scene.whereabouts.notHere(scene.a, keyOf(K))
  expect([scene.take(), scene.counters.wentAstray]).toEqual([[`forget ${K} at A`, `here ${K} since 10`], 3])
})

test('the end of a login elsewhere announces the one here only if that was older (P-307)', () => {
  const scene = new WhereaboutsScene()
  scene.login(K, 10)
  for (const [time, events] of [
    [5, []],
    [20, [`here ${K} since 10`]],
  ] as const) {
    scene.heard(scene.a, [K, time])
    scene.take()
    scene.gone(scene.a, [K, time])
    expect(scene.take()).toEqual([`withdraw ${K} at A`, ...events])
  }
})

test('a complete list drops the routes that it does not confirm, and no others (P-313)', () => {
  const scene = new WhereaboutsScene()
  for (const n of [1, 2]) scene.taught(scene.keyOfA, n)
  scene.a.listGeneration = ++scene.routes.generation
  scene.heard(scene.a, [2, 10])
  scene.whereabouts.mistrustUnlisted(scene.a)
  expect([routeOf(scene, 1), routeOf(scene, 2)?.isOpen]).toEqual([undefined, true])
})

test('a query of all routes ends those that no relay confirms, unless they were replaced meanwhile (P-312)', () => {
  const scene = new WhereaboutsScene()
  for (const n of [1, 2, 3]) scene.taught(scene.keyOfA, n)
  const asked = [...scene.routes]
  const generation = ++scene.routes.generation
  scene.heard(scene.a, [2, 10])
  scene.whereabouts.notHere(scene.a, keyOf(3))
  scene.taught(scene.keyOfA, 3)
  scene.take()
  scene.whereabouts.endUnconfirmed(asked, generation)
  expect(scene.take()).toEqual(['withdraw 1 at A'])
  expect([2, 3].map(n => routeOf(scene, n)?.isOpen)).toEqual([true, true])
})
