import { expect, test } from 'vitest'
import { LoneBackplane, OTHER_ID, OTHER_KEY, OWN_ID, testKey } from '../../test/support/lone-backplane.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import type { FinderSource } from '../server/region-ports.ts'
import type { Member } from '../server/registry.ts'
import { HybridClock, MAX_AHEAD_MS } from './hybrid-clock.ts'
import { BEAT_MS, COLLECT_MS, LIST_PART_MS, LISTEN_MS, MAX_KEYS } from './limits.ts'

const TWIN_REASON = `relay id ${OWN_ID} is also that of https://other.test/derp: give each relay a private key of its own, with -c`

const client = (first: number, others?: number): Member => ({
  key: testKey(first, others),
  remote: undefined,
  flags: 1,
})

test('a relay listens for 1.5 s, then beats before it lists its keys (P-300, P-301)', async () => {
  const relay = new LoneBackplane()
  const { backplane, bus, clock } = relay
  backplane.start()
  bus.goUp()
  backplane.clientConnected(client(9))
  relay.beat()
  relay.takeLines()
  clock.advance(LISTEN_MS - 1)
  expect([backplane.state, backplane.members.size, bus.take()]).toEqual(['listening', 1, []])
  expect([backplane.problem, await relay.isSettled()]).toEqual(['the relay is joining its region', false])
  clock.advance(1)
  expect([backplane.state, backplane.problem, bus.take()]).toEqual(['joined', undefined, ['beat 1', 'list 2 9']])
  expect(relay.takeLines()).toEqual([['info', 'joined the region', { relay: OWN_ID, others: 1 }]])
  expect(await relay.isSettled()).toBe(true)
  clock.advance(BEAT_MS)
  expect(bus.take()).toEqual(['beat 2'])
})

test('a relay whose bus goes down while it listens begins anew to listen (P-301)', () => {
  const { backplane, bus, clock } = new LoneBackplane()
  backplane.start()
  bus.goUp()
  clock.advance(LISTEN_MS - 100)
  bus.goDown()
  bus.goUp()
  clock.advance(LISTEN_MS - 1)
  expect([backplane.state, bus.take()]).toEqual(['listening', []])
  clock.advance(1)
  expect(backplane.state).toBe('joined')
})

test('a returned relay lists its keys before it beats: the number of the beat is that of the list (P-312)', () => {
  const relay = LoneBackplane.joined()
  const { backplane, bus } = relay
  bus.goDown()
  bus.goUp()
  expect([backplane.state, bus.take()]).toEqual(['joined', ['list 2', 'beat 2']])
  bus.goUp()
  expect(bus.take()).toEqual([])
})

test('what others sent while a relay was away is not requested: they confirm its list (P-312)', () => {
  const relay = LoneBackplane.joined()
  const { bus, clock } = relay
  bus.goDown()
  bus.goUp()
  relay.beat({ sequence: 7 })
  bus.receive(OTHER_ID, { type: 'listed', sequence: 7 }, true)
  bus.take()
  clock.advance(3 * BEAT_MS)
  expect(bus.take()).toEqual(['beat 2', 'beat 2', 'beat 2'])
})

test('a relay that has to wait for NATS says why, each reason once, and what it is waiting for (P-318)', async () => {
  const relay = new LoneBackplane()
  const { backplane, bus } = relay
  backplane.start()
  expect([backplane.problem, await relay.isSettled()]).toEqual(['NATS cannot be used: not connected yet', false])
  for (const reason of ['refused', 'refused', 'denied']) bus.goDown(reason)
  expect([backplane.problem, await relay.isSettled()]).toEqual(['NATS cannot be used: denied', true])
  expect(relay.takeLines()).toEqual([
    ['warn', 'cannot join the region yet', { reason: 'refused' }],
    ['warn', 'cannot join the region yet', { reason: 'denied' }],
  ])
  await backplane.stop()
  expect(relay.takeLines()).toEqual([])
})

test('a joined relay that loses NATS says so once (P-318)', () => {
  const relay = LoneBackplane.joined()
  relay.bus.goDown('cut')
  relay.bus.goDown('cut')
  expect(relay.takeLines()).toEqual([['warn', 'left the region', { reason: 'cut' }]])
})

test('a relay that stops sends what it has collected, tells each relay, and leaves nothing behind (P-316)', async () => {
  const relay = LoneBackplane.joined()
  const { backplane, bus, clock } = relay
  backplane.clientConnected(client(9))
  await backplane.stop()
  expect(bus.take()).toEqual(['here 2 9', `reset to ${OTHER_ID}`])
  expect([bus.isClosed, relay.closedLinks, clock.pendingTimers]).toEqual([true, [OTHER_ID], 0])
  expect([backplane.state, backplane.problem]).toEqual(['closed', 'the relay has left its region'])
  expect(relay.takeLines()).toEqual([['warn', 'left the region', { reason: 'the relay is stopping' }]])
  bus.goUp()
  relay.beat()
  expect([backplane.state, backplane.counters.messagesReceived]).toEqual(['closed', 1])
})

test('a relay can be stopped before it has been started, and while it listens', async () => {
  const idle = new LoneBackplane()
  await idle.backplane.stop()
  const listening = new LoneBackplane()
  listening.backplane.start()
  listening.bus.goUp()
  listening.beat()
  await listening.backplane.stop()
  for (const { backplane, bus, clock } of [idle, listening])
    expect([backplane.state, bus.isClosed, bus.take(), clock.pendingTimers]).toEqual(['closed', true, [], 0])
})

test('of two joined relays with one id the one that started later leaves, and tells nobody to forget the other (P-301)', async () => {
  const relay = LoneBackplane.joined()
  const { backplane, bus, clock } = relay
  relay.twinBeat(1)
  expect([backplane.state, relay.takeLines()]).toEqual(['joined', []])
  backplane.clientConnected(client(9))
  relay.twinBeat(-1)
  expect([backplane.state, backplane.problem]).toEqual(['twin', TWIN_REASON])
  expect(relay.takeLines()).toEqual([['error', 'left the region', { reason: TWIN_REASON }]])
  relay.beat({ sequence: 1 })
  bus.goUp()
  clock.advance(5 * BEAT_MS)
  expect([backplane.state, backplane.counters.messagesReceived]).toEqual(['twin', 3])
  await backplane.stop()
  expect(bus.take()).toEqual([])
})

test('two relays with one id and one start time but different URLs both leave (P-301)', () => {
  const relay = LoneBackplane.joined()
  relay.twinBeat(0, { url: 'https://own.test/derp' })
  expect(relay.backplane.state).toBe('joined')
  relay.twinBeat(0)
  expect(relay.backplane.state).toBe('twin')
})

test('a relay that listens gives way to any relay with its id, and the start ends (P-301)', async () => {
  for (const laterMs of [-1, 0, 1]) {
    const relay = new LoneBackplane()
    relay.backplane.start()
    relay.bus.goUp()
    relay.twinBeat(laterMs)
    expect([relay.backplane.state, await relay.isSettled()]).toEqual(['twin', true])
    expect(relay.takeLines()).toEqual([['error', 'left the region', { reason: TWIN_REASON }]])
  }
})

test('only a beat says that another relay has the same id (P-301)', () => {
  const { backplane, bus } = LoneBackplane.joined()
  bus.receive(OWN_ID, { type: 'find', id: 1, keys: [testKey(9)] })
  expect([backplane.state, bus.take()]).toEqual(['joined', []])
})

test('messages are counted, those that cannot be decoded as well (P-321)', () => {
  const { backplane, bus } = LoneBackplane.joined()
  bus.receive(OTHER_ID, Uint8Array.of(99))
  bus.receive(OTHER_ID, { type: 'resync' }, true)
  expect([backplane.counters.messagesReceived, backplane.counters.messagesUnknown]).toEqual([3, 1])
})

test('links from other relays are not announced, clients are', () => {
  const { backplane, bus, clock } = LoneBackplane.joined()
  backplane.clientConnected({ key: OTHER_KEY, remote: undefined, flags: 1 })
  backplane.clientConnected(client(9))
  clock.advance(COLLECT_MS)
  expect(bus.take()).toEqual(['here 2 9'])
})

test('a relay that leaves sends no more of its list and asks about no more routes (P-312, P-313)', () => {
  const relay = LoneBackplane.joined()
  const { backplane, bus, clock } = relay
  for (let n = 0; n <= MAX_KEYS; n++) {
    backplane.clientConnected(client(9 + (n >> 8), n & 255))
    backplane.noteSource(OTHER_KEY, testKey(99 + (n >> 8), n & 255).bytes, 0)
  }
  bus.goDown()
  bus.goUp()
  const types = bus.takeMessages().map(({ type }) => type)
  expect(types.filter(type => type === 'find' || type === 'beat')).toEqual(['beat', 'find'])
  expect(clock.timersInMs.filter(ms => ms === LIST_PART_MS).length).toBe(2)
  bus.goDown()
  // The next beat is all that is left.
  expect(clock.pendingTimers).toBe(1)
})

test('packets whose search has not begun when a relay leaves are dropped as find_failed (P-309, P-318)', () => {
  const { backplane, bus, clock, counters } = LoneBackplane.joined()
  const source: FinderSource = { key: testKey(8), tellNotHere() {} }
  const frame = new Uint8Array(FRAME_HEADER_LENGTH + KEY_LENGTH + 1)
  expect(backplane.takeUnknown(source, frame, 0, frame.length, 'other')).toBe(true)
  bus.goDown()
  expect(counters.dropped.find_failed.other.packets).toBe(1)
  bus.goUp()
  bus.take()
  clock.runTurn()
  expect([bus.take(), backplane.finder.waitingPackets]).toEqual([[], 0])
})

test('once its clock was set back, a relay lists its keys with new times, in the order of logins (P-302)', () => {
  const { backplane, bus, clock } = LoneBackplane.joined()
  for (const n of [9, 8]) backplane.clientConnected(client(n))
  clock.advance(COLLECT_MS)
  clock.setWall(clock.wallNow() - MAX_AHEAD_MS - 2 * BEAT_MS)
  bus.take()
  clock.advance(Math.min(...clock.timersInMs))
  const [list, beat] = bus.takeMessages()
  if (list?.type !== 'here' || beat?.type !== 'beat') throw new Error('expected a list and a beat')
  const times = [0, 1].map(n => [list.keys.keyOf(n).bytes[0], list.keys.timeOf(n)])
  const first = new HybridClock(clock).next()
  expect([list.list, times]).toEqual([
    { number: 0, isLast: true },
    [
      [9, first],
      [8, first + 1],
    ],
  ])
})

test('after messages were rejected a relay lists its keys with a beat, once the bus accepts messages (P-312, P-317)', () => {
  const { backplane, bus, clock } = LoneBackplane.joined()
  bus.isUp = false
  backplane.clientConnected(client(9))
  clock.advance(2 * BEAT_MS)
  expect([bus.take(), backplane.counters.listsSent]).toEqual([[], 1])
  bus.isUp = true
  clock.advance(BEAT_MS)
  expect(bus.take()).toEqual(['list 3 9', 'beat 3'])
  clock.advance(BEAT_MS)
  expect(bus.take()).toEqual(['beat 3'])
})
