import { expect, test } from 'vitest'
import { silentLog } from '../lib/log.ts'
import { RegionCounters } from '../metrics/region-counters.ts'
import type { LinkRoutes } from '../server/ports.ts'
import { DEAD_MS, RESYNC_PAUSE_MS } from './limits.ts'
import { Members } from './members.ts'
import type { Beat } from './message.ts'
import type { Neighbour, RegionLink } from './neighbour.ts'

const ID = '00112233aabbccdd'
const OTHER = '99887766aabbccdd'
const URL = 'https://other.test/derp'

class FakeLink implements RegionLink {
  readonly local: undefined
  isUp = false
  checks = 0
  isClosed = false

  takeSendPacket(): void {}

  check(): void {
    this.checks++
  }

  close(): void {
    this.isClosed = true
  }
}

function beat(changes: Partial<Beat> = {}): Beat {
  return { type: 'beat', url: URL, incarnation: 5, sequence: 0, time: 0, ...changes }
}

/** The other relays of a region; what they report is recorded in order. */
function setUp() {
  const links: FakeLink[] = []
  const reports: string[] = []
  const lines: unknown[] = []
  const counters = new RegionCounters()
  const bus = { isFull: false }
  const members = new Members({
    table: { addLink: () => ({}) as LinkRoutes },
    openLink: () => {
      const link = new FakeLink()
      links.push(link)
      return link
    },
    routeOf: () => undefined,
    log: { ...silentLog, info: (message, fields) => lines.push([message, fields]) },
    counters,
    onMet: ({ incarnation }) => reports.push(`met ${incarnation}`),
    onLost: ({ incarnation }) => reports.push(`lost ${incarnation}`),
    onNotHere: () => {},
    askForList: ({ id }) => {
      reports.push(`asks ${id}`)
      return !bus.isFull
    },
  })
  const take = () => reports.splice(0)
  return { members, links, lines, counters, bus, take }
}

/** As {@link setUp}, with one relay that is known since time 0. */
function setUpWithRelay(hasJoined = true) {
  const region = setUp()
  region.members.hear(ID, beat(), 0, hasJoined)
  region.take()
  return { ...region, relay: region.members.get(ID) as Neighbour, link: region.links[0] as FakeLink }
}

test('a relay is known from its first beat until it leaves, which is counted and logged (P-300, P-316)', () => {
  const { members, links, lines, counters, take } = setUp()
  members.hear(ID, beat(), 0, true)
  expect([members.size, counters.relaysMet, counters.relaysLost, take()]).toEqual([1, 1, 0, ['met 5']])
  members.hear(ID, beat(), 1_000, true)
  members.lose(members.get(ID) as Neighbour, 'it is stopping')
  expect([members.size, counters.relaysMet, counters.relaysLost, take()]).toEqual([0, 1, 1, ['lost 5']])
  expect(links.map(({ isClosed }) => isClosed)).toEqual([true])
  expect(lines).toEqual([
    ['relay has joined the region', { relay: ID, url: URL }],
    ['relay has left the region', { relay: ID, url: URL, reason: 'it is stopping' }],
  ])
})

test('a relay has left 5 s after its last beat, not before (P-316)', () => {
  const { members, take } = setUpWithRelay()
  members.hear(ID, beat(), 700, true)
  members.look(700 + DEAD_MS - 1)
  expect([members.size, take()]).toEqual([1, []])
  members.look(700 + DEAD_MS)
  expect([members.size, take()]).toEqual([0, ['lost 5']])
})

test('the link of a silent relay is checked, and keeps it in the region while it is up (P-316)', () => {
  const { members, link } = setUpWithRelay()
  link.isUp = true
  members.look(DEAD_MS - 1)
  expect(link.checks).toBe(0)
  members.look(DEAD_MS)
  expect([link.checks, link.isClosed, members.size]).toEqual([1, false, 1])
  link.isUp = false
  members.look(DEAD_MS + 1_000)
  expect([link.checks, link.isClosed, members.size]).toEqual([1, true, 0])
})

test('silence does not count while this relay cannot receive, nor before it has returned (P-316)', () => {
  const { members } = setUpWithRelay()
  members.excuseSilence(4_000)
  members.look(DEAD_MS)
  expect(members.size).toBe(1)
  members.beginAnew(8_000)
  members.look(8_000 + DEAD_MS - 1)
  expect(members.size).toBe(1)
  members.look(8_000 + DEAD_MS)
  expect(members.size).toBe(0)
})

test('a beat of a higher incarnation is that of a restarted relay, with a link of its own (P-301, P-316)', () => {
  const { members, links, counters, take } = setUpWithRelay()
  members.hear(ID, beat({ incarnation: 6 }), 1_000, true)
  expect(take()).toEqual(['lost 5', 'met 6'])
  expect([members.size, counters.relaysMet, counters.relaysLost]).toEqual([1, 2, 1])
  expect(links.map(({ isClosed }) => isClosed)).toEqual([true, false])
})

test('a delayed beat of a lower incarnation is ignored: it is no sign of life, and its number is old (P-301, P-312)', () => {
  const { members, take } = setUpWithRelay()
  members.hear(ID, beat({ incarnation: 4, sequence: 9 }), 3_000, true)
  members.look(DEAD_MS - 1)
  expect([members.get(ID)?.incarnation, take()]).toEqual([5, []])
  members.look(DEAD_MS)
  expect(members.size).toBe(0)
})

test('a relay whose first beat has a number above 0 is asked for its list, unless this relay is about to send its own (P-312)', () => {
  for (const hasJoined of [true, false]) {
    const { members, take } = setUp()
    members.hear(ID, beat({ sequence: 3 }), 0, hasJoined)
    members.look(0)
    expect(take()).toEqual(hasJoined ? ['met 5', `asks ${ID}`] : ['met 5'])
  }
})

test('a list is requested again after 2 s, counted, and no longer needed once it is there (P-312)', () => {
  const { members, relay, counters, take } = setUpWithRelay()
  members.hear(ID, beat({ sequence: 1 }), 0, true)
  members.look(100)
  members.look(100 + RESYNC_PAUSE_MS - 1)
  expect([counters.resyncs, take()]).toEqual([1, [`asks ${ID}`]])
  members.look(100 + RESYNC_PAUSE_MS)
  expect([counters.resyncs, take()]).toEqual([2, [`asks ${ID}`]])
  expect(relay.takePart({ number: 0, isLast: true })).toBe(true)
  members.look(100 + 2 * RESYNC_PAUSE_MS)
  expect([counters.resyncs, take()]).toEqual([2, []])
})

test('a list whose next part does not come is requested again (P-312, P-313)', () => {
  const { members, relay, take } = setUpWithRelay()
  expect(relay.takePart({ number: 0, isLast: false })).toBe(false)
  relay.askedAtMs = 500
  members.look(500 + RESYNC_PAUSE_MS - 1)
  expect(take()).toEqual([])
  members.look(500 + RESYNC_PAUSE_MS)
  expect(take()).toEqual([`asks ${ID}`])
})

test('a request that the bus has rejected is not counted, and repeated at once (P-312, P-317)', () => {
  const { members, bus, counters, take } = setUpWithRelay()
  members.hear(ID, beat({ sequence: 1 }), 0, true)
  bus.isFull = true
  members.look(0)
  expect([counters.resyncs, take()]).toEqual([0, [`asks ${ID}`]])
  bus.isFull = false
  members.look(1)
  expect([counters.resyncs, take()]).toEqual([1, [`asks ${ID}`]])
})

test('what others sent before a returned relay lists its keys is treated as received, what follows is not (P-312)', () => {
  const { members, take } = setUpWithRelay()
  members.beginAnew(1_000)
  members.hear(ID, beat({ sequence: 7 }), 1_001, true)
  members.look(1_001)
  expect(take()).toEqual([])
  members.hear(ID, beat({ sequence: 8 }), 1_002, true)
  members.look(1_002)
  expect(take()).toEqual([`asks ${ID}`])
})

test('a relay that has not confirmed the list after 2 s is asked for its own, once (P-312)', () => {
  const { members, relay, take } = setUpWithRelay()
  members.hear(OTHER, beat(), 0, true)
  take()
  members.beginAnew(0)
  // The list takes longer than the time for the confirmation, which begins when the list has been sent.
  members.look(3_000)
  members.listSent(3_000)
  const other = members.get(OTHER) as Neighbour
  other.confirmsByMs = undefined
  for (const { id } of [relay, other]) members.hear(id, beat(), 3_000, true)
  members.look(3_000 + RESYNC_PAUSE_MS - 1)
  expect(take()).toEqual([])
  members.look(3_000 + RESYNC_PAUSE_MS)
  expect(take()).toEqual([`asks ${ID}`])
  relay.takePart({ number: 0, isLast: true })
  members.look(3_000 + 2 * RESYNC_PAUSE_MS)
  expect(take()).toEqual([])
})

test('a list because of rejected messages needs no confirmation (P-312, P-317)', () => {
  const { members, relay, take } = setUpWithRelay()
  members.listSent(0)
  members.look(RESYNC_PAUSE_MS)
  expect([relay.confirmsByMs, take()]).toEqual([undefined, []])
})

test('closing closes the links to all relays', () => {
  const { members, links } = setUpWithRelay()
  members.hear(OTHER, beat(), 0, true)
  members.close()
  expect(links.map(({ isClosed }) => isClosed)).toEqual([true, true])
})
