import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import { RegionCounters } from '../metrics/region-counters.ts'
import { Announcer } from './announcer.ts'
import { decodeMessage } from './decode.ts'
import { COLLECT_MS, LIST_PART_MS, MAX_KEYS } from './limits.ts'
import { LocalKeys } from './local-keys.ts'

const PEER = '00112233aabbccdd'
const key = (n: number) => NodePublicKey.fromBytes(Uint8Array.from({ length: 32 }, (_, at) => (n >> (8 * at)) & 255))

/** A message as text: receiver, type, number, part of a list, keys or how many. */
function textOf(to: string, bytes: Uint8Array): string {
  const message = decodeMessage(bytes)
  if (message?.type !== 'here' && message?.type !== 'gone') return `${to} ${message?.type}`
  const { keys, sequence } = message
  const list = message.type === 'here' ? message.list : undefined
  const part = list === undefined ? '' : ` part ${list.number}${list.isLast ? ' last' : ''}`
  const few = Array.from({ length: keys.length }, (_, n) => ` ${keys.keyOf(n).bytes[0]}@${keys.timeOf(n)}`)
  return `${to} ${message.type} #${sequence}${part}${keys.length > 3 ? ` ${keys.length} keys` : few.join('')}`
}

/** An announcer with that many keys connected, and what its bus is given. */
function setUp(locals = 0) {
  const clock = new FakeClock({ turns: 'manual' })
  const counters = new RegionCounters()
  const keys = new LocalKeys()
  for (let n = 0; n < locals; n++) keys.add({ key: key(n), remote: undefined, flags: 0 }, n)
  const sent: string[] = []
  const bus = {
    isUp: true,
    accepts: true,
    onSend: () => {},
    open() {},
    send(to: string, bytes: Uint8Array) {
      this.onSend()
      if (this.accepts) sent.push(textOf(to, bytes))
      return this.accepts
    },
    broadcast(kind: string, bytes: Uint8Array) {
      return this.send(`${kind}:`, bytes)
    },
    async close() {},
  }
  const scene = { clock, counters, bus, listed: 0, superseded: [] as number[], take: () => sent.splice(0) }
  const announcer = new Announcer({
    bus,
    clock,
    counters,
    locals: keys,
    isSuperseded: ({ bytes }) => scene.superseded.includes(bytes[0] as number),
    onListed: () => void scene.listed++,
  })
  return { ...scene, scene, announcer }
}

/** The same, open, with its first list sent. */
function opened(locals = 0) {
  const all = setUp(locals)
  all.announcer.open()
  all.clock.advance(LIST_PART_MS * Math.ceil(locals / MAX_KEYS))
  all.take()
  all.scene.listed = 0
  all.counters.listsSent = 0
  return all
}

test('an announcer sends nothing before it is opened, and counts what others miss (P-312)', () => {
  const { announcer, clock, counters, take } = setUp(1)
  expect([announcer.hasLost, announcer.sequence]).toEqual([false, 0])
  announcer.list()
  expect([counters.listsSent, take()]).toEqual([0, []])
  announcer.here(key(1), 10)
  clock.advance(COLLECT_MS)
  expect([take(), announcer.hasLost, counters.messagesLost]).toEqual([[], true, 1])
})

test('an announcer begins with the list of all keys, without what came before (P-305, P-312)', () => {
  const { announcer, clock, counters, take, scene } = setUp(2)
  announcer.here(key(1), 10)
  announcer.open()
  clock.advance(COLLECT_MS)
  expect(take()).toEqual(['here: here #1 part 0 last 0@0 1@1'])
  expect([scene.listed, counters.listsSent, counters.messagesLost, clock.pendingTimers]).toEqual([1, 1, 0, 0])
})

test('logins and logouts are batched for 5 ms, and numbered from 1 (P-305, P-312)', () => {
  const { announcer, clock, take } = opened()
  const { sequence } = announcer
  announcer.here(key(1), 10)
  clock.advance(COLLECT_MS - 1)
  announcer.gone(key(2), 20)
  announcer.here(key(3), 30)
  expect(take()).toEqual([])
  clock.advance(1)
  expect(take()).toEqual(['gone: gone #2 2@20', 'here: here #3 1@10 3@30'])
  expect([sequence, announcer.sequence, clock.pendingTimers]).toEqual([1, 3, 0])
})

test('a batch without logins or without logouts is one message (P-305)', () => {
  const { announcer, take } = opened()
  announcer.flush()
  expect(take()).toEqual([])
  announcer.here(key(1), 10)
  announcer.flush()
  announcer.gone(key(1), 10)
  announcer.flush()
  expect(take()).toEqual(['here: here #2 1@10', 'gone: gone #3 1@10'])
})

test('messages about one key are sent in order (P-305)', () => {
  const { announcer, clock, take } = opened()
  announcer.here(key(1), 10)
  announcer.gone(key(1), 10)
  announcer.here(key(1), 20)
  expect(take()).toEqual(['here: here #2 1@10', 'gone: gone #3 1@10'])
  announcer.here(key(2), 30)
  expect(take()).toEqual([])
  clock.advance(COLLECT_MS)
  expect(take()).toEqual(['here: here #4 1@20 2@30'])
})

test('a message has at most 1,000 keys (P-305)', () => {
  const { announcer, clock, take } = opened()
  for (let n = 0; n < MAX_KEYS; n++) announcer.here(key(n), n)
  expect(take()).toEqual([])
  announcer.here(key(MAX_KEYS), MAX_KEYS)
  expect(take()).toEqual([`here: here #2 ${MAX_KEYS} keys`])
  clock.advance(COLLECT_MS)
  expect(take()).toEqual([`here: here #3 ${MAX_KEYS & 255}@${MAX_KEYS}`])
})

test('what is collected is sent before a list, which is numbered with it (P-312, P-313)', () => {
  const { announcer, clock, take } = opened(1)
  announcer.gone(key(9), 10)
  announcer.list()
  expect(take()).toEqual(['gone: gone #2 9@10', 'here: here #3 part 0 last 0@0'])
  expect(clock.pendingTimers).toBe(0)
})

test('a list is sent in parts of 1,000 keys, 10 ms apart (P-313)', () => {
  const { announcer, clock, take, scene, counters } = opened(2 * MAX_KEYS + 1)
  announcer.list()
  expect([take(), scene.listed, counters.listsSent]).toEqual([[`here: here #4 part 0 ${MAX_KEYS} keys`], 0, 1])
  clock.advance(LIST_PART_MS - 1)
  expect(take()).toEqual([])
  clock.advance(1)
  expect([take(), scene.listed]).toEqual([[`here: here #5 part 1 ${MAX_KEYS} keys`], 0])
  clock.advance(LIST_PART_MS)
  const rest = 2 * MAX_KEYS
  expect([take(), scene.listed]).toEqual([[`here: here #6 part 2 last ${rest & 255}@${rest}`], 1])
  expect([clock.pendingTimers, counters.listsSent]).toEqual([0, 1])
})

test('a list of no keys is sent as well: it ends routes (P-313)', () => {
  const { announcer, take, scene } = opened()
  announcer.list()
  expect([take(), scene.listed]).toEqual([['here: here #2 part 0 last'], 1])
})

test('a list leaves out keys with a newer login elsewhere (P-313)', () => {
  const { announcer, take, scene } = opened(3)
  scene.superseded.push(1)
  announcer.list()
  expect(take()).toEqual(['here: here #2 part 0 last 0@0 2@2'])
})

test('a list that begins again stops the one being sent (P-313)', () => {
  const { announcer, clock, take, scene } = opened(MAX_KEYS + 3)
  announcer.list()
  clock.advance(LIST_PART_MS / 2)
  announcer.list()
  expect(take()).toEqual([`here: here #3 part 0 ${MAX_KEYS} keys`, `here: here #4 part 0 ${MAX_KEYS} keys`])
  clock.advance(LIST_PART_MS / 2)
  expect([take(), clock.pendingTimers, scene.listed]).toEqual([[], 1, 0])
  clock.advance(LIST_PART_MS / 2)
  expect([take().length, clock.pendingTimers, scene.listed]).toEqual([1, 0, 1])
})

test('a list for one relay has no number, and does not count as the list for all (P-312, P-313)', () => {
  const { announcer, clock, counters, take, scene } = opened(MAX_KEYS + 1)
  announcer.noteLost()
  announcer.list(PEER)
  announcer.list('another')
  expect(take()).toEqual([`${PEER} here #0 part 0 ${MAX_KEYS} keys`, `another here #0 part 0 ${MAX_KEYS} keys`])
  clock.advance(LIST_PART_MS)
  const rest = `here #0 part 1 last ${MAX_KEYS & 255}@${MAX_KEYS}`
  expect(take()).toEqual([`${PEER} ${rest}`, `another ${rest}`])
  expect([announcer.sequence, scene.listed, announcer.hasLost]).toEqual([2, 0, true])
  expect([counters.listsSent, counters.messagesLost]).toEqual([2, 1])
  announcer.list()
  expect([announcer.hasLost, counters.listsSent]).toEqual([false, 3])
})

test('messages that the bus rejects are counted, and make a list necessary (P-312, P-317)', () => {
  const { announcer, bus, counters } = opened(1)
  bus.accepts = false
  announcer.here(key(1), 10)
  announcer.flush()
  expect([announcer.hasLost, counters.messagesLost]).toEqual([true, 1])
  bus.accepts = true
  announcer.list()
  expect([announcer.hasLost, counters.messagesLost]).toEqual([false, 1])
  bus.accepts = false
  announcer.list(PEER)
  expect([announcer.hasLost, counters.messagesLost]).toEqual([true, 2])
  announcer.list()
  expect([announcer.hasLost, counters.messagesLost]).toEqual([true, 3])
})

test('a closed announcer drops what it has collected, and ends its lists (P-318)', () => {
  const { announcer, clock, counters, take, scene } = opened(MAX_KEYS + 1)
  announcer.list()
  announcer.list(PEER)
  announcer.here(key(1), 10)
  take()
  announcer.close()
  expect(clock.pendingTimers).toBe(0)
  announcer.list()
  clock.advance(LIST_PART_MS)
  expect([take(), scene.listed, counters.listsSent, counters.messagesLost]).toEqual([[], 0, 2, 0])
  announcer.open()
  expect(take()).toEqual([`here: here #4 part 0 ${MAX_KEYS} keys`])
})

test('an announcer may be closed while its bus takes a part of a list (P-317, P-318)', () => {
  const { announcer, bus, clock, take, scene } = opened(2 * MAX_KEYS + 1)
  bus.onSend = () => announcer.close()
  announcer.list(PEER)
  bus.onSend = () => {}
  take()
  clock.advance(2 * LIST_PART_MS)
  expect([take(), clock.pendingTimers, scene.listed]).toEqual([[], 0, 0])
})
