/** Relays of a region: who is alive, what they have missed, clocks. Simulated relays on real backplanes. */

import { expect, test } from 'vitest'
import { encodeMessage, MESSAGE_TYPES } from '../../src/backplane/encode.ts'
import { MAX_KEYS } from '../../src/backplane/limits.ts'
import type { Beat } from '../../src/backplane/message.ts'
import type { SimRelay } from '../../src/sim/sim-relay.ts'
import { SimRegion } from '../support/sim-region.ts'

const known = ({ backplane }: SimRelay) => Array.from(backplane.members, ({ id }) => id).toSorted()

test('relays know each other after one beat, and a new relay immediately (P-300, P-301)', () => {
  const region = new SimRegion(2)
  region.relays.push(region.start(2))
  region.clock.advance(1_499)
  expect(region.relay(2).backplane.state).toBe('listening')
  expect(region.relay(0).backplane.members.size).toBe(1)
  region.clock.advance(5)
  const ids = region.relays.map(({ id }) => id)
  for (const relay of region.relays) expect(known(relay)).toEqual(ids.filter(id => id !== relay.id).toSorted())
})

test('a relay does not join with the id of another, which is not affected (P-301)', async () => {
  const region = new SimRegion(2)
  const [first] = region.relays as [SimRelay]
  const twin = region.start(0)
  region.clock.advance(2_000)
  await twin.backplane.settled
  expect([twin.backplane.state, first.backplane.state]).toEqual(['twin', 'joined'])
  expect(twin.backplane.problem).toContain(`relay id ${first.id} is also that of https://${first.id}.test/derp`)
  twin.bus.disconnect()
  expect(twin.backplane.state).toBe('twin')
})

test('a relay is not put off by its own beat, delivered late after it has connected anew (P-301)', () => {
  const region = new SimRegion(2)
  const { bus, id, backplane } = region.relay(0)
  region.clock.advance(1_000)
  const [own] = region.takeMessages().filter(({ from, message }) => from?.id === id && message.type === 'beat')
  bus.disconnect()
  bus.reconnect()
  bus.receive(id, encodeMessage(own?.message as Beat), false)
  expect(backplane.state).toBe('joined')
})

test('a relay does not join beside another with its id, even with an earlier clock (P-301)', async () => {
  const region = new SimRegion(1)
  const [first] = region.relays as [SimRelay]
  const twin = region.start(0, -60_000)
  region.clock.advance(2_000)
  await twin.backplane.settled
  expect([twin.backplane.state, first.backplane.state]).toEqual(['twin', 'joined'])
})

test('a relay silent for 5 s has left with its clients once its link is down, not before (P-315, P-316)', () => {
  const region = new SimRegion(2)
  const [near, far] = [region.login(1, 0), region.login(2, 1)]
  region.exchange(far, 1)
  region.exchange(near, 2)
  region.network.cutMessages(region.relay(0).id, region.relay(1).id)
  region.clock.advance(8_000)
  expect(region.exchange(near, 2)).toEqual(['1 gets 2 of 0'])
  region.relay(0).links.get(region.relay(1).id)?.closeIfIdle()
  region.clock.advance(1_000)
  expect(region.take()).toEqual(['0 loses 2'])
  expect(region.relay(0).backplane.members.size).toBe(0)
})

test('a relay that is cut off without notice has left, even if its link seems to be open (P-315, P-316)', () => {
  const region = new SimRegion(2)
  const [near, far] = [region.login(1, 0), region.login(2, 1)]
  region.exchange(far, 1)
  region.exchange(near, 2)
  region.take()
  const [a, b] = [region.relay(0), region.relay(1)]
  region.network.onCut = () => {}
  region.network.cutLink(a.id, b.id)
  region.network.cutMessages(a.id, b.id)
  region.clock.advance(9_000)
  expect([a.links.get(b.id)?.isUp, region.take()]).toEqual([true, []])
  region.clock.advance(3_000)
  expect(region.take().toSorted()).toEqual(['0 loses 2', '1 loses 1'])
  expect([a.backplane.members.size, b.backplane.members.size]).toEqual([0, 0])
})

test('a relay announces that it stops, and a restarted relay has no clients (P-301, P-316)', async () => {
  const region = new SimRegion(3)
  const told = region.login(1, 0)
  for (const relay of [1, 2]) region.exchange(region.login(1 + relay, relay), 1)
  region.take()
  await region.relay(1).backplane.stop()
  region.clock.advance(5)
  expect(region.take()).toEqual([`${told.number} loses 2`])
  region.restart(2)
  region.clock.advance(1_600)
  expect(region.take()).toEqual([`${told.number} loses 3`])
  expect(known(region.relay(0))).toEqual([region.relay(2).id])
})

test('without the bus, flows and local traffic continue, other packets are dropped and counted, and it recovers (P-312, P-318)', () => {
  const region = new SimRegion(3)
  const [sender, other] = [region.login(1, 0), region.login(4, 0)]
  const receiver = region.login(2, 1)
  const leaves = region.login(3, 1)
  for (const key of [2, 3]) region.exchange(sender, key)
  region.exchange(leaves, 1)
  for (const { bus } of region.relays) bus.disconnect()
  expect(region.relay(0).backplane.problem).toBe('NATS cannot be used: cut')
  region.clock.advance(10_000)
  expect(region.exchange(sender, 2)).toEqual([`${receiver.number} gets 3 of 0`])
  expect(region.exchange(other, 1)).toEqual(['0 gets 1 of 1'])
  const late = region.login(9, 2)
  expect(region.exchange(sender, 9)).toEqual([])
  expect(region.relay(0).counters.dropped.find_failed.other.packets).toBe(1)
  region.logout(leaves)
  expect(region.take()).toEqual([])
  for (const { bus } of region.relays) bus.reconnect()
  region.clock.advance(1_000)
  expect(region.take()).toEqual(['0 loses 3'])
  expect(region.exchange(sender, 9)).toEqual([`${late.number} gets 5 of 0`])
  expect(region.relay(0).backplane.members.size).toBe(2)
})

test('a relay that loses its own connection declares no relay dead, and lists its keys when it returns (P-312, P-316)', () => {
  const region = new SimRegion(2)
  const sender = region.login(1, 0)
  region.login(2, 1)
  region.exchange(sender, 2)
  region.relay(0).links.get(region.relay(1).id)?.closeIfIdle()
  region.relay(0).bus.disconnect()
  region.clock.advance(20_000)
  expect(region.relay(0).backplane.members.size).toBe(1)
  region.takeMessages()
  region.relay(0).bus.reconnect()
  region.clock.advance(50)
  const lists = region.takeMessages().filter(({ message }) => message.type === 'here' && message.list !== undefined)
  expect(lists.map(({ from, to }) => [from?.id, to])).toEqual([[region.relay(0).id, undefined]])
})

test('a relay with a stalled bus declares no relay dead (P-316, P-317)', () => {
  const region = new SimRegion(2)
  const [a, b] = [region.relay(0), region.relay(1)]
  a.bus.isFull = true
  region.network.cutMessages(a.id, b.id)
  region.clock.advance(20_000)
  expect([a.backplane.members.size, b.backplane.members.size]).toEqual([1, 0])
})

test('a missed message is detected by the next one or by a beat, and recovered by a list (P-312, P-313)', () => {
  const region = new SimRegion(2)
  const [a, b] = [region.relay(0).id, region.relay(1).id]
  const sender = region.login(1, 0)
  const leaves = region.login(2, 1)
  region.exchange(leaves, 1)
  region.clock.advance(5_000)
  region.network.cutMessages(a, b)
  region.logout(leaves)
  region.network.heal()
  region.takeMessages()
  region.take()
  region.clock.advance(4_000)
  expect(region.told('resync')).toEqual(['0 tells 1'])
  expect(region.take()).toEqual([`${sender.number} loses 2`])
  expect(region.relay(0).backplane.counters.resyncs).toBe(1)
})

test('what a returned relay misses after its list has arrived is recovered (P-304, P-312)', () => {
  const region = new SimRegion(3)
  const [a, b] = [region.relay(0), region.relay(1)]
  const sender = region.login(1, 0)
  const older = region.login(9, 0)
  const missNext = (change: () => void) => {
    a.bus.disconnect()
    a.bus.reconnect()
    region.clock.advance(10)
    region.network.cutMessages(a.id, b.id)
    change()
    region.network.heal()
    region.clock.advance(4_000)
  }
  let newer = older
  missNext(() => {
    newer = region.login(9, 1)
  })
  expect(region.exchange(sender, 9)).toEqual([`${newer.number} gets 1 of ${sender.number}`])
  missNext(() => region.logout(newer))
  expect(region.exchange(region.login(2, 2), 9)).toEqual([`${older.number} gets 1 of 3`])
})

test('what a returned relay misses while its list is arriving is recovered (P-312, P-313)', () => {
  const region = new SimRegion(2)
  const [a, b] = [region.relay(0), region.relay(1)]
  const sender = region.login(1, 0)
  for (let n = 0; n <= MAX_KEYS; n++) region.login(9 + n, 0, 1)
  const { tamper } = region.broker
  // One millisecond before the list ends, so that the beat of the other relay comes before its confirmation.
  region.clock.advance(1_000 - (region.clock.now() % 1_000) - 9)
  a.bus.disconnect()
  a.bus.reconnect()
  region.clock.advance(2)
  region.broker.tamper = (bytes, from, to) =>
    from === b.id && bytes[0] === MESSAGE_TYPES.here ? undefined : tamper(bytes, from, to)
  const newer = region.login(9, 1, 6)
  region.broker.tamper = tamper
  region.clock.advance(4_000)
  expect(region.exchange(sender, 9)).toEqual([`${newer.number} gets 1 of ${sender.number}`])
})

test('what a relay misses before it joins is recovered (P-307, P-312)', () => {
  const region = new SimRegion(2)
  const sender = region.login(1, 1)
  const joining = region.restart(0)
  region.clock.advance(1_100)
  const older = region.login(9, 0)
  const newer = region.login(9, 1)
  expect([joining.backplane.state, joining.backplane.routes.size]).toEqual(['listening', 1])
  region.network.cutMessages(joining.id, region.relay(1).id)
  region.logout(newer)
  region.network.heal()
  region.clock.advance(4_000)
  expect(region.exchange(sender, 9)).toEqual([`${older.number} gets 1 of ${sender.number}`])
})

test('a list of many keys is sent in parts; a list with a missing part is ignored and requested again (P-313)', () => {
  const region = new SimRegion(2)
  const watcher = region.login(1, 0)
  const keys = Array.from({ length: 2 * MAX_KEYS + 1 }, (_, n) => n)
  const last = region.login(250, 1)
  region.exchange(last, 1)
  for (const n of keys) region.login(1_000 + n, 1, 1)
  region.clock.advance(5_000)
  region.takeMessages()
  region.take()
  let lost = 0
  const { tamper } = region.broker
  region.broker.tamper = (bytes, from, to) => {
    const seen = tamper(bytes, from, to)
    const { message } = region.takeMessages().at(-1) ?? {}
    const isSecondPart = message?.type === 'here' && message.list?.number === 1
    return isSecondPart && lost++ === 0 ? undefined : seen
  }
  const relay = region.relay(0).backplane.members.get(region.relay(1).id)
  if (relay !== undefined) relay.needsList = true
  region.clock.advance(8_000)
  expect([lost, region.relay(0).backplane.counters.resyncs, region.take()]).toEqual([2, 2, []])
  expect(region.exchange(watcher, 250)).toEqual([`${last.number} gets 1 of ${watcher.number}`])
})

test('messages rejected by the bus are counted, and followed by a list once it accepts messages again (P-312, P-317)', () => {
  const region = new SimRegion(2)
  const sender = region.login(1, 0)
  region.login(9, 0)
  region.relay(1).bus.isFull = true
  const newer = region.login(9, 1)
  expect(region.relay(1).backplane.counters.messagesLost).toBeGreaterThan(0)
  region.relay(1).bus.isFull = false
  region.clock.advance(2_000)
  expect(region.exchange(sender, 9)).toEqual([`${newer.number} gets 1 of ${sender.number}`])
})

test('later logins are newer at every relay, even if its clock is behind (P-302)', () => {
  const region = new SimRegion(2, { aheadMs: [0, 8_000] })
  const sender = region.login(1, 0)
  region.login(9, 1)
  const later = region.login(9, 0)
  expect(region.exchange(sender, 9)).toEqual([`${later.number} gets 1 of 0`])
})

test('logins from a clock more than 10 s ahead are ignored by others, and its skew is reported (P-303)', () => {
  const region = new SimRegion(2, { aheadMs: [0, 11_000] })
  const sender = region.login(1, 0)
  region.login(9, 1)
  expect(region.exchange(sender, 9)).toEqual(['0 misses 9'])
  const { members, counters } = region.relay(0).backplane
  expect(members.get(region.relay(1).id)?.aheadMs).toBeCloseTo(11_000, -2)
  expect(members.get(region.relay(1).id)?.isHeard).toBe(false)
  expect(counters.timesRefused).toBeGreaterThan(0)
})

test('logins from a clock that was too far ahead are known once it is right, in their order (P-302, P-303)', () => {
  const region = new SimRegion(2, { aheadMs: [0, 60_000] })
  const sender = region.login(1, 0)
  region.login(8, 1)
  const older = region.login(9, 1)
  const newer = region.login(9, 1)
  expect(region.exchange(sender, 9)).toEqual(['0 misses 9'])
  ;(region.skews[1] as { ms: number }).ms = 0
  region.clock.advance(2_500)
  expect(region.relay(0).backplane.members.get(region.relay(1).id)?.isHeard).toBe(true)
  region.takeMessages()
  expect(region.exchange(sender, 9)).toEqual([`${newer.number} gets 2 of 0`])
  region.logout(newer)
  expect(region.exchange(sender, 9)).toEqual([`${older.number} gets 3 of 0`])
  const later = region.login(9, 0)
  expect(region.exchange(sender, 9)).toEqual([`${later.number} gets 4 of 0`])
})

test('messages from unknown relays and malformed messages have no effect (P-300, P-321)', () => {
  const region = new SimRegion(2)
  const { bus, backplane } = region.relay(0)
  bus.receive('00112233aabbccdd', Uint8Array.of(7), true)
  bus.receive(region.relay(1).id, Uint8Array.of(99), true)
  bus.receive(region.relay(1).id, Uint8Array.of(2, 0), false)
  expect([backplane.counters.messagesUnknown, backplane.members.size]).toEqual([2, 1])
  region.clock.advance(50)
  expect(region.told('here')).toEqual([])
})
