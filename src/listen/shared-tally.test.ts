import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { type AcceptLimitOptions, AcceptLimits } from './accept-limits.ts'
import { SharedShareLedger } from './shared-share-ledger.ts'
import { SharedSourceCounts } from './shared-source-counts.ts'
import { SharedSourceRates } from './shared-source-rates.ts'
import { createTallyMemory, MAIN_THREAD, SharedTally } from './shared-tally.ts'
import { SourceHash, type SourceSeeds } from './source-hash.ts'

/** Arbitrary. */
const SEEDS: SourceSeeds[] = [
  [1, 2, 3, 4],
  [0xdead_beef, 0x0bad_cafe, 0x1234_5678, 0x9abc_def0],
  [0, 0xffff_ffff, 0x8000_0000, 0x7fff_ffff],
]
const [SOME_SEEDS = [0, 0, 0, 0]] = SEEDS

/** The limits of three threads, and a function that opens connections on them; undefined if refused. */
function setUp(options: AcceptLimitOptions) {
  const clock = new FakeClock()
  // As a worker receives it: its contents are shared, not copied.
  const memory = structuredClone(createTallyMemory(options, 3, SOME_SEEDS))
  const tallies = [MAIN_THREAD, 1, 2].map(thread => new SharedTally(memory, thread, options.sourceRate))
  const limits = tallies.map(tally => new AcceptLimits(options, clock, undefined, tally))
  const gates = limits.map(of => of.forListener())
  const open = (thread: number, address: string | undefined): EventEmitter | undefined => {
    const [gate, socket] = [gates[thread], new EventEmitter()]
    if (gate?.open(socket) && gate.admit(socket, address)) return socket
    socket.emit('close')
    return undefined
  }
  const opened = (...tries: [thread: number, address: string | undefined][]) =>
    tries.map(([thread, address]) => open(thread, address) !== undefined)
  return { clock, limits, tallies, open, opened }
}

test('threads with a shared tally limit open connections together (P-109)', () => {
  const { limits, tallies, open, opened } = setUp({ maxConnections: 3 })
  const first = open(1, '192.0.2.1')
  expect(opened([2, '192.0.2.1'], [MAIN_THREAD, '192.0.2.1'], [1, '192.0.2.1'], [2, '192.0.2.1'])).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect(tallies.map(({ open: all }) => all)).toEqual([3, 3, 3])
  expect(limits.map(({ counters }) => counters.open)).toEqual([1, 1, 1])
  first?.emit('close')
  expect(opened([2, '192.0.2.1'], [1, '192.0.2.1'])).toEqual([true, false])
})

test('threads with a shared tally limit open connections per source together (P-109)', () => {
  const { limits, open, opened } = setUp({ maxConnections: 100, maxConnectionsPerSource: 2 })
  const [a, b] = ['192.0.2.1', '2001:db8::1']
  const first = open(1, a)
  expect(opened([2, a], [1, a], [2, a], [MAIN_THREAD, a])).toEqual([true, false, false, false])
  expect(opened([1, b], [2, '2001:db8::2'], [1, '2001:db8:0:1::'], [2, b])).toEqual([true, true, true, false])
  expect(opened([1, undefined], [2, undefined], [2, undefined])).toEqual([true, true, true])
  first?.emit('close')
  expect(opened([2, a], [1, a])).toEqual([true, false])
  expect(limits.map(({ counters }) => counters.refused.source_connections)).toEqual([1, 2, 2])
})

test('only the counts of an ended thread are removed (P-109)', () => {
  const { tallies, opened } = setUp({ maxConnections: 4, maxConnectionsPerSource: 2 })
  expect(opened([1, 'a::'], [1, 'a::'], [2, 'b::'], [2, 'b::'], [2, 'c::'])).toEqual([true, true, true, true, false])
  tallies[MAIN_THREAD]?.forget(1)
  expect(tallies[MAIN_THREAD]?.open).toBe(2)
  expect(opened([2, 'a::'], [MAIN_THREAD, 'b::'], [MAIN_THREAD, 'a::'], [2, 'a::'])).toEqual([true, false, true, false])
})

test('what an ended thread was waiting for at the shared rate is removed (P-105)', () => {
  const memory = createTallyMemory({}, 2)
  const [own, ended] = [MAIN_THREAD, 1].map(thread => new SharedShareLedger(memory.share, thread))
  own?.publish(2, 100, 0)
  ended?.publish(3, 200, 0)
  // Without limits per source there are no counts of them to remove.
  new SharedTally(memory, MAIN_THREAD, undefined).forget(1)
  expect([own?.waiting, own?.firstElsewhere]).toEqual([2, Number.POSITIVE_INFINITY])
})

test('only limits per source need memory for sources, and a thread may be without (P-109)', () => {
  const memory = createTallyMemory({ maxConnections: 5 }, 3)
  expect([memory.sourceCounts, memory.sourceRates]).toEqual([undefined, undefined])
  const withBoth = createTallyMemory({ maxConnectionsPerSource: 1, sourceRate: { perSecond: 1, burst: 1 } }, 3)
  expect([withBoth.sourceCounts, withBoth.sourceRates]).not.toContain(undefined)
  const unlimited = new SharedTally(withBoth, 1, undefined)
  expect([1, 2, 3].map(() => unlimited.tryTakeOf('a', 0))).toEqual([true, true, true])
})

test('threads that share a port share its rate, and other ports have their own (P-108)', () => {
  const { clock, opened } = setUp({ rate: { perSecond: 10, burst: 3 } })
  expect(opened([1, 'a::'], [2, 'b::'], [1, 'c::'], [2, 'd::'])).toEqual([true, true, true, false])
  expect(opened([0, 'a::'], [0, 'b::'], [0, 'c::'], [0, 'd::'])).toEqual([true, true, true, false])
  clock.advance(100)
  expect(opened([2, 'a::'], [1, 'a::'])).toEqual([true, false])
})

test('threads with a shared tally limit the rate of a source together (P-109)', () => {
  const { clock, limits, opened } = setUp({ sourceRate: { perSecond: 1, burst: 2 }, rate: { perSecond: 1, burst: 3 } })
  expect(opened([1, 'a::1'], [2, 'a::2'], [1, 'a::3'], [2, 'a::4'], [0, 'a::5'])).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
  // Refusals have not used up the overall limit.
  expect(opened([2, 'b::'], [1, 'c::'])).toEqual([true, false])
  expect(limits[1]?.counters.refused).toMatchObject({ source_rate: 1, rate: 1 })
  clock.advance(1_000)
  expect(opened([2, 'a::1'], [1, 'a::1'])).toEqual([true, false])
})

/** Rates that allow each source twice, and a function that counts how many sources of a range may connect again. */
function ratesOf(seeds: SourceSeeds) {
  const memory = SharedSourceRates.createMemory()
  const rates = new SharedSourceRates(memory, { perSecond: 1e-6, burst: 2 }, new SourceHash(seeds))
  const source = (n: number) => String.fromCharCode(n >> 16, (n >> 8) & 255, n & 255, 0)
  const allowed = (from: number, to: number) => {
    let count = 0
    for (let n = from; n < to; n++) if (rates.tryTake(source(n), 0)) count++
    return count
  }
  return { memory, allowed }
}

// The bounds have twice the margin needed by several hundred random seeds.
test.each(SEEDS)('SharedSourceRates tracks 10,000 sources, whatever the seeds (%#)', (...seeds) => {
  const { allowed } = ratesOf(seeds)
  // About one in ten thousand collides with another in its set.
  expect(Math.min(allowed(0, 10_000), allowed(0, 10_000))).toBeGreaterThanOrEqual(9_980)
  // Few sets are full enough to evict a source.
  expect(allowed(0, 10_000)).toBeLessThan(50)
})

test('SharedSourceRates tracks sources in bounded memory, the most active ones longest', () => {
  const { memory, allowed } = ratesOf(SOME_SEEDS)
  expect(allowed(0, 10_000) + allowed(0, 10_000)).toBeGreaterThanOrEqual(19_960)
  // About one in a thousand collides with another in its set.
  expect(allowed(10_000, 500_000)).toBeGreaterThan(489_900)
  // Those that connected twice are still tracked.
  expect(allowed(0, 10_000)).toBeLessThan(100)
  expect(memory.byteLength).toBe(262_144)
})

test('SharedSourceCounts without a free slot counts a source for its own thread', () => {
  const memory = SharedSourceCounts.createMemory(2, 32)
  const hash = new SourceHash(SOME_SEEDS)
  const [a, b] = [0, 1].map(thread => new SharedSourceCounts(memory, { threads: 2, thread, hash }))
  const sources = Array.from({ length: 200 }, (_, n) => String.fromCharCode(n, 0, 0, 1))
  const openAll = (counts: SharedSourceCounts | undefined) =>
    sources.filter(source => counts?.tryOpen(source, 1)).length
  expect([openAll(a), openAll(a)]).toEqual([200, 0])
  // There are 64 slots; the second thread does not see the other sources.
  expect(openAll(b)).toBeGreaterThanOrEqual(136)
  for (const source of sources) a?.close(source)
  for (const source of sources) b?.close(source)
  expect(new Int32Array(memory).every(word => word === 0)).toBe(true)
  expect(openAll(b)).toBe(200)
})
