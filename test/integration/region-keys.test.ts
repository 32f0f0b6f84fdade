/** Where keys are in a region: logins, duplicates, departures, searches. Simulated relays on real backplanes. */

import { expect, test } from 'vitest'
import { NodePublicKey } from '../../src/keys/node-key.ts'
import { encodeClientToServer } from '../../src/protocol/encode.ts'
import { clientKey, SimRegion } from '../support/sim-region.ts'

test('the first packets to another relay find their destination and open the link, in order and without loss (P-308, P-310)', () => {
  const region = new SimRegion(3)
  const [sender, receiver] = [region.login(1, 0), region.login(2, 1)]
  region.takeMessages()
  region.send(sender, 2, 32)
  region.clock.advance(50)
  expect(region.take()).toEqual(Array.from({ length: 32 }, (_, n) => `1 gets ${n + 1} of ${sender.number}`))
  const told = region.takeMessages().filter(({ message }) => message.type === 'find' || message.type === 'found')
  expect(told.map(({ message }) => message.type)).toEqual(['find', 'found', 'found'])
  // The way back was taught by the packets (P-314).
  expect(region.exchange(receiver, 1)).toEqual(['0 gets 1 of 1'])
  expect(region.told('find')).toEqual([])
  expect(region.relay(0).counters.packetsForwardedOut).toBe(32)
})

test('keys of one turn are queried with one message (P-308)', () => {
  const region = new SimRegion(2)
  const sender = region.login(1, 0)
  for (const key of [2, 3]) region.login(key, 1)
  region.takeMessages()
  for (const key of [2, 3, 2]) region.send(sender, key)
  region.clock.advance(50)
  expect(region.told('find')).toEqual(['0 tells all 2 3'])
  expect(region.take()).toEqual(['1 gets 1 of 0', '1 gets 3 of 0', '2 gets 2 of 0'])
})

test('a key is not found once all relays have responded; this is cached for 5 s, or until the key logs in (P-309)', () => {
  const region = new SimRegion(3)
  const sender = region.login(1, 0)
  region.takeMessages()
  expect(region.exchange(sender, 9)).toEqual(['0 misses 9'])
  expect(region.exchange(sender, 9)).toEqual(['0 misses 9'])
  expect(region.told('find')).toEqual(['0 tells all 9'])
  const late = region.login(9, 1)
  expect(region.exchange(sender, 9)).toEqual([`${late.number} gets 3 of 0`])
  region.logout(late)
  region.clock.advance(5_000)
  region.takeMessages()
  expect(region.exchange(sender, 9)).toEqual(['0 misses 9'])
  expect(region.told('find')).toEqual(['0 tells all 9'])
  expect(region.relay(0).counters.dropped.unknown_dest.other.packets).toBe(3)
})

test('a relay that joins may have a key that was not found before (P-309)', () => {
  const region = new SimRegion(2)
  const sender = region.login(1, 0)
  expect(region.exchange(sender, 9)).toEqual(['0 misses 9'])
  region.relays.push(region.start(2))
  region.clock.advance(1_600)
  region.takeMessages()
  expect(region.exchange(sender, 9)).toEqual(['0 misses 9'])
  expect(region.told('find')).toEqual(['0 tells all 9'])
})

test('a relay without a response is queried again, and the search fails without notifying the client (P-308, P-309)', () => {
  const region = new SimRegion(3)
  const sender = region.login(1, 0)
  region.login(2, 2)
  const [asks, , silent] = region.relays.map(({ id }) => id) as [string, string, string]
  region.network.cutMessages(asks, silent)
  region.takeMessages()
  region.send(sender, 2)
  region.clock.advance(499)
  expect(region.told('find')).toEqual(['0 tells all 2'])
  region.clock.advance(500)
  expect(region.told('find')).toEqual(['0 tells 2 2'])
  region.clock.advance(1_002)
  expect(region.take()).toEqual([])
  const drops = () => region.relay(0).counters.dropped.find_failed.other
  expect(drops()).toEqual({ packets: 1, bytes: 8 })
  // For one second nothing is looked for, then it is found.
  region.network.heal()
  region.send(sender, 2)
  expect(drops().packets).toBe(2)
  region.clock.advance(1_000)
  expect(region.exchange(sender, 2)).toEqual(['1 gets 3 of 0'])
})

test('of more than 32 packets for one key the oldest are dropped (P-310)', () => {
  const region = new SimRegion(2)
  const sender = region.login(1, 0)
  region.login(2, 1)
  region.send(sender, 2, 40)
  region.clock.advance(50)
  expect(region.take()).toEqual(Array.from({ length: 32 }, (_, n) => `1 gets ${n + 9} of 0`))
  expect(region.relay(0).counters.dropped.find_displaced.other.packets).toBe(8)
})

test('the newest login of a key gets its packets from everywhere; when it ends the older one does (P-304, P-306, P-307)', () => {
  const region = new SimRegion(3)
  const senders = [region.login(1, 0), region.login(2, 1), region.login(3, 2)]
  const older = region.login(9, 0)
  for (const sender of senders) region.exchange(sender, 9)
  const newer = region.login(9, 1)
  for (const sender of senders)
    expect(region.exchange(sender, 9)).toEqual([`${newer.number} gets 2 of ${sender.number}`])
  region.takeMessages()
  region.logout(newer)
  expect(region.told('here')).toEqual(['0 tells all 9'])
  region.take()
  for (const sender of senders)
    expect(region.exchange(sender, 9)).toEqual([`${older.number} gets 3 of ${sender.number}`])
})

test('an older login is always answered with superseded (P-306)', () => {
  const region = new SimRegion(3)
  const [a, b] = [region.relay(0).id, region.relay(1).id]
  region.network.cutMessages(a, b)
  const older = region.login(9, 0)
  const newer = region.login(9, 1)
  const sender = region.login(1, 0)
  expect(region.exchange(sender, 9)).toEqual([`${older.number} gets 1 of ${sender.number}`])
  region.takeMessages()
  region.network.heal()
  region.clock.advance(3_000)
  expect(region.told('superseded')).toContain('1 tells 0 9')
  expect(region.exchange(sender, 9)).toEqual([`${newer.number} gets 2 of ${sender.number}`])
})

test('the newest of several connections at one relay counts; when it ends, the older one returns with its old time (P-304, P-307)', () => {
  const region = new SimRegion(2)
  const sender = region.login(1, 0)
  region.login(9, 0)
  const middle = region.login(9, 1)
  const newest = region.login(9, 0)
  expect(region.exchange(sender, 9)).toEqual([`${newest.number} gets 1 of 0`])
  region.logout(newest)
  expect(region.exchange(sender, 9)).toEqual([`${middle.number} gets 2 of 0`])
})

test('a login at another relay moves flows there immediately, without a search (P-304, P-305)', () => {
  const region = new SimRegion(3)
  const sender = region.login(1, 0)
  region.login(9, 1)
  region.exchange(sender, 9)
  region.takeMessages()
  const moved = region.login(9, 2)
  expect(region.exchange(sender, 9)).toEqual([`${moved.number} gets 2 of 0`])
  expect(region.told('find')).toEqual([])
})

test('a packet for a key that has left is not forwarded; the sending relay is notified and finds the key (P-311)', () => {
  const region = new SimRegion(3)
  const sender = region.login(1, 0)
  const first = region.login(9, 1)
  region.exchange(sender, 9)
  // The relay of the sender does not hear that the key moves.
  region.network.cutMessages(region.relay(0).id, region.relay(1).id)
  region.network.cutMessages(region.relay(0).id, region.relay(2).id)
  region.logout(first)
  const second = region.login(9, 2)
  region.network.heal()
  expect(region.exchange(sender, 9)).toEqual([])
  expect(region.relay(1).counters.dropped.unknown_dest_on_fwd.other.packets).toBe(1)
  expect(region.exchange(sender, 9)).toEqual([`${second.number} gets 3 of 0`])
})

test('clients that received from a key are notified when it leaves, at any relay (P-315)', () => {
  const region = new SimRegion(3)
  const leaves = region.login(9, 0)
  const told = [region.login(1, 0), region.login(2, 1), region.login(3, 2)]
  const untold = region.login(4, 1)
  for (const key of [1, 2, 3]) region.exchange(leaves, key)
  region.exchange(untold, 9)
  region.take()
  region.logout(leaves)
  expect(region.take().toSorted()).toEqual(told.map(({ number }) => `${number} loses 9`))
})

test('a packet that arrives after its sender has left does not prevent the notification (P-313, P-315)', () => {
  const region = new SimRegion(2)
  const told = region.login(1, 0)
  const leaves = region.login(9, 1)
  region.exchange(leaves, 1)
  region.take()
  // Its list arrives while the link for the packet is being opened.
  const { bus, links } = region.relay(1)
  bus.disconnect()
  links.get(region.relay(0).id)?.closeIfIdle()
  region.send(leaves, 1)
  leaves.close()
  bus.reconnect()
  region.clock.advance(50)
  expect(region.take()).toEqual([`${told.number} gets 2 of ${leaves.number}`])
  region.clock.advance(2_000)
  expect(region.take()).toEqual([`${told.number} loses 9`])
})

test('clients are not notified when a key connects to another relay before it leaves the first (P-315)', () => {
  const region = new SimRegion(3)
  const first = region.login(9, 0)
  region.login(1, 1)
  region.exchange(first, 1)
  const second = region.login(9, 2)
  region.logout(first)
  expect(region.take()).toEqual([])
  region.logout(second)
  expect(region.take()).toEqual(['1 loses 9'])
})

test('clients are notified of a departure after its route expired, or without an announcement of the key (P-314, P-315)', () => {
  const region = new SimRegion(2, { delayMs: 5 })
  const leaves = region.login(9, 0)
  region.login(1, 1)
  region.exchange(leaves, 1)
  region.clock.advance(150_000)
  const { routes } = region.relay(1).backplane
  expect([routes.openRoutes, routes.size]).toEqual([0, 1])
  // The packet outlives its sender: nobody announces the departure.
  const late = region.login(8, 0)
  region.send(late, 1)
  late.close()
  region.clock.advance(50)
  expect(region.take()).toEqual(['1 gets 1 of 2'])
  region.logout(leaves)
  expect(region.take()).toEqual(['1 loses 9'])
  region.clock.advance(150_000)
  expect(region.take()).toEqual(['1 loses 8'])
  expect(routes.size).toBe(0)
})

test('a key in a packet of a relay outside the region has not left because no relay of the region has it (P-315)', () => {
  const region = new SimRegion(2)
  region.login(1, 0)
  const outside = NodePublicKey.fromBytes(new Uint8Array(32).fill(77))
  const frame = encodeClientToServer({
    type: 'forwardPacket',
    source: clientKey(9),
    destination: clientKey(1),
    data: new Uint8Array(20),
  })
  expect(region.relay(0).takeForwarded(outside, frame)).toBeUndefined()
  region.clock.advance(9_000)
  expect([region.take().length, region.told('find')]).toEqual([1, []])
  region.clock.advance(3_000)
  expect(region.take()).toEqual(['0 loses 9'])
})

test('unused routes expire after 120 s, except those that decide between logins (P-314)', () => {
  const region = new SimRegion(2)
  const sender = region.login(1, 0)
  region.login(2, 1)
  region.login(3, 1)
  region.login(9, 0)
  region.login(9, 1)
  for (const key of [2, 3]) region.exchange(sender, key)
  const { routes, counters } = region.relay(0).backplane
  expect(routes.openRoutes).toBe(3)
  for (let seconds = 0; seconds < 150; seconds += 10) {
    region.exchange(sender, 2)
    region.clock.advance(10_000)
  }
  expect([routes.openRoutes, counters.routesIdled]).toEqual([2, 1])
  region.takeMessages()
  region.exchange(sender, 3)
  region.exchange(sender, 9)
  expect(region.told('find')).toEqual(['0 tells all 3'])
})

test('a received packet keeps the route back in use (P-314)', () => {
  const region = new SimRegion(2)
  const [sender, receiver] = [region.login(1, 0), region.login(2, 1)]
  for (let seconds = 0; seconds < 150; seconds += 10) {
    region.exchange(sender, 2)
    region.clock.advance(10_000)
  }
  region.takeMessages()
  expect(region.exchange(receiver, 1)).toEqual(['0 gets 1 of 1'])
  expect(region.told('find')).toEqual([])
})

test('a packet does not replace a better route back (P-314)', () => {
  const region = new SimRegion(3)
  const receiver = region.login(1, 0)
  const [older, newer] = [region.login(9, 1), region.login(9, 2)]
  region.exchange(receiver, 9)
  region.exchange(older, 1)
  expect(region.exchange(receiver, 9)).toEqual([`${newer.number} gets 2 of 0`])
})

test('the number of routes is limited; unused ones are evicted (P-314)', () => {
  const region = new SimRegion(2, { maxRoutes: 3 })
  const sender = region.login(1, 0)
  for (let key = 2; key < 8; key++) region.login(key, 1)
  for (let key = 2; key < 8; key++) region.exchange(sender, key)
  const { routes, counters } = region.relay(0).backplane
  expect([routes.openRoutes, counters.routesDisplaced]).toEqual([3, 3])
  region.take()
  for (let key = 2; key < 8; key++) expect(region.exchange(sender, key)).toHaveLength(1)
})

test('ClosePeer closes the connections of a key at all relays (P-323)', () => {
  const region = new SimRegion(3)
  const conns = [region.login(9, 1), region.login(9, 2), region.login(9, 1)]
  const other = region.login(1, 2)
  region.relay(0).backplane.closePeer(clientKey(9))
  region.clock.advance(50)
  expect([...conns, other].map(({ isClosed }) => isClosed)).toEqual([true, true, true, false])
})
