import { expect, test } from 'vitest'
import { keyOf, WhereaboutsScene } from '../../test/support/whereabouts-scene.ts'
import { MAX_NOBODIES, OUTSIDE_MS } from './limits.ts'

test('a relay searches for keys with clients to notify that have no route, or one from a packet (P-315)', () => {
  const scene = new WhereaboutsScene()
  const [known, fromPacket, unknown, unawaited] = [1, 2, 3, 4]
  for (const n of [known, fromPacket, unknown]) scene.awaited.add(n)
  scene.taught(scene.keyOfA, known)
  scene.heard(scene.a, [known, 10])
  scene.taught(scene.keyOfA, fromPacket)
  for (const n of [known, fromPacket, unknown, unawaited]) scene.whereabouts.doubt(keyOf(n))
  scene.whereabouts.lookForDoubts()
  expect(scene.takeAsked().map(({ keys }) => keys)).toEqual([[fromPacket, unknown]])
  scene.whereabouts.lookForDoubts()
  expect(scene.takeAsked()).toEqual([])
})

test('a key in packets from outside the region is searched for 10 s after the first of them (P-315)', () => {
  const scene = new WhereaboutsScene()
  const key = 9
  scene.awaited.add(key)
  scene.taught(keyOf(1), key)
  scene.whereabouts.doubt(keyOf(key))
  scene.clock.advance(OUTSIDE_MS - 1)
  scene.taught(keyOf(1), key)
  scene.whereabouts.lookForDoubts()
  expect(scene.takeAsked()).toEqual([])
  scene.clock.advance(1)
  scene.whereabouts.lookForDoubts()
  expect(scene.takeAsked().map(({ keys }) => keys)).toEqual([[key]])
})

test('the keys to search for, and those from outside the region, are limited (P-315)', () => {
  const scene = new WhereaboutsScene()
  const keys = Array.from({ length: MAX_NOBODIES + 1 }, (_, n) => keyOf(n))
  for (const key of keys) scene.whereabouts.doubt(key)
  scene.whereabouts.lookForDoubts()
  expect(scene.awaitedReads.length).toBe(MAX_NOBODIES)
  scene.awaitedReads.length = 0
  const outside = keyOf(1)
  for (const { bytes } of keys) scene.whereabouts.taught(outside, bytes, 0)
  for (const key of keys.slice(-2)) scene.whereabouts.doubt(key)
  scene.whereabouts.lookForDoubts()
  expect(scene.awaitedReads).toEqual([MAX_NOBODIES])
})
