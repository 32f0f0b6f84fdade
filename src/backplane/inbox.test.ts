import { expect, test } from 'vitest'
import { scriptedKey as key, ScriptedRegion } from '../../test/support/scripted-region.ts'
import { MAX_AHEAD_MS } from './hybrid-clock.ts'
import type { Here } from './message.ts'

const PEER = '00112233aabbccdd'

/** A part of a list. */
function part(number: number, isLast: boolean, sequence: number): Here<[]> {
  return { type: 'here', sequence, list: { number, isLast }, keys: [] }
}

/** Numbers that the region is told its lists have arrived with. */
const confirmed = (region: ScriptedRegion) => region.told('listed').map(({ to, message }) => [to, message.sequence])

test('a missing here or gone makes the list of its sender necessary (P-312)', () => {
  const region = new ScriptedRegion()
  const peer = region.beat(PEER)
  region.hear(PEER, { type: 'gone', sequence: 1, keys: [] })
  region.hear(PEER, { type: 'here', sequence: 2, list: undefined, keys: [] })
  region.hear(PEER, { type: 'gone', sequence: 3, keys: [] })
  expect(peer.needsList).toBe(false)
  region.hear(PEER, { type: 'gone', sequence: 5, keys: [] })
  expect(peer.needsList).toBe(true)
  peer.needsList = false
  region.hear(PEER, { type: 'here', sequence: 7, list: undefined, keys: [] })
  expect(peer.needsList).toBe(true)
})

test('a list for all is confirmed with the number of the last message sent before it (P-312)', () => {
  const region = new ScriptedRegion()
  const peer = region.beat(PEER)
  const before = region.parts.announcer.sequence
  region.hear(PEER, part(0, false, 1))
  region.parts.announcer.here(key(1), region.time())
  region.parts.announcer.flush()
  expect([region.parts.announcer.sequence, confirmed(region)]).toEqual([before + 1, []])
  region.hear(PEER, part(1, true, 2))
  expect([peer.needsList, confirmed(region)]).toEqual([false, [[PEER, before]]])
})

test('a list for one relay has no number, and is not confirmed (P-312, P-313)', () => {
  const region = new ScriptedRegion()
  const peer = region.beat(PEER)
  region.hear(PEER, { type: 'gone', sequence: 1, keys: [] })
  region.hearDirectly(PEER, part(0, false, 0))
  region.hear(PEER, { type: 'gone', sequence: 2, keys: [] })
  region.hearDirectly(PEER, part(1, true, 0))
  expect([peer.needsList, peer.isListing, confirmed(region)]).toEqual([false, false, []])
  region.hear(PEER, { type: 'gone', sequence: 4, keys: [] })
  expect(peer.needsList).toBe(true)
})

test('a list for all replaces what the relay may have missed before it, so only later messages must arrive (P-312)', () => {
  const region = new ScriptedRegion()
  const peer = region.beat(PEER)
  region.parts.members.beginAnew(region.clock.now())
  region.hear(PEER, part(0, true, 5))
  region.hearDirectly(PEER, { type: 'listed', sequence: 3 })
  expect([peer.needsList, peer.confirmsByMs]).toEqual([false, undefined])
  region.hear(PEER, { type: 'gone', sequence: 7, keys: [] })
  expect(peer.needsList).toBe(true)
})

test('what is sent after a list has arrived must arrive before its confirmation (P-312)', () => {
  const region = new ScriptedRegion()
  const peer = region.beat(PEER)
  region.parts.members.beginAnew(region.clock.now())
  region.hear(PEER, { type: 'gone', sequence: 5, keys: [] })
  region.hearDirectly(PEER, { type: 'listed', sequence: 3 })
  expect([peer.needsList, peer.confirmsByMs]).toEqual([true, undefined])
})

test('a relay is known from its first beat; before, only its questions are answered (P-300, P-308)', () => {
  const region = new ScriptedRegion()
  region.hearDirectly(PEER, { type: 'closePeer', peer: key(1) })
  region.hearDirectly(PEER, { type: 'resync' })
  expect([region.done, region.told('here')]).toEqual([[], []])
  region.hear(PEER, { type: 'find', id: 7, keys: [key(1)] })
  expect(region.told('found').map(({ to, message }) => [to, message.id, message.keys.length])).toEqual([[PEER, 7, 0]])
  region.beat(PEER)
  region.hearDirectly(PEER, { type: 'closePeer', peer: key(1) })
  region.hearDirectly(PEER, { type: 'resync' })
  expect([region.done, region.told('here').map(({ to }) => to)]).toEqual([['1 is closed'], [PEER]])
})

test('a clock that is too far ahead is reported once, with its lead (P-303)', () => {
  const region = new ScriptedRegion()
  expect(region.beat(PEER, { aheadMs: MAX_AHEAD_MS }).isHeard).toBe(true)
  expect(region.warnings).toEqual([])
  region.beat(PEER, { aheadMs: MAX_AHEAD_MS + 100 })
  const { aheadMs, isHeard } = region.beat(PEER, { aheadMs: MAX_AHEAD_MS + 200 })
  expect([aheadMs, isHeard]).toEqual([MAX_AHEAD_MS + 200, false])
  expect(region.warnings).toEqual([{ relay: PEER, aheadMs: MAX_AHEAD_MS + 100 }])
})

test('a clock that was right meanwhile is reported again (P-303)', () => {
  const region = new ScriptedRegion()
  for (const aheadMs of [20_000, 0, 30_000]) region.beat(PEER, { aheadMs })
  expect(region.warnings.map(({ aheadMs }) => aheadMs)).toEqual([20_000, 30_000])
})
