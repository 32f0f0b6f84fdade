import { expect, test } from 'vitest'
import { FakeClock } from '../../../../test/support/fake-clock.ts'
import { settle } from '../../../../test/support/settle.ts'
import { type LoadPlan, partsOf } from './bench-plan.ts'
import { benchReport } from './bench-report.ts'
import { type Interval, type LoadProcess, runBench } from './bench-run.ts'
import { LiveView } from './live-view.ts'
import { reportCsv } from './report-csv.ts'
import { reportText } from './report-text.ts'
import { Tally } from './tally.ts'

const PLAN: LoadPlan = {
  run: 1,
  pairs: 3,
  sizes: [100],
  ratePerSecond: 10,
  window: 32,
  warmupMs: 500,
  durationMs: 2_000,
}

/** A process that counts a packet of 2 ms each 100 ms from the warm-up on, and loses every fifth. */
class ScriptedProcess implements LoadProcess {
  readonly #clock: FakeClock
  readonly #pairs: number
  readonly #tally = new Tally()
  readonly #stop = new AbortController()

  constructor(clock: FakeClock, pairs: number) {
    this.#clock = clock
    this.#pairs = pairs
  }

  async connect() {
    return { pairs: this.#pairs, reason: this.#pairs === 0 ? 'closed' : undefined }
  }

  async run(): Promise<void> {
    const over = Promise.withResolvers<void>()
    this.#stop.signal.addEventListener('abort', () => over.resolve())
    const next = (left: number) => {
      if (left === 0 || this.#stop.signal.aborted) return over.resolve()
      const { counts } = this.#tally
      counts.sent++
      counts.sentBytes += 100
      if (left % 5 > 0) {
        counts.received++
        counts.receivedBytes += 100
        this.#tally.latency.record(2)
        this.#tally.lateness.record(0)
      }
      this.#clock.after(100, () => next(left - 1))
    }
    this.#clock.after(550, () => next(20))
    await over.promise
  }

  tally = () => this.#tally.data()
  stop = () => this.#stop.abort()
}

async function outcomeOf(pairs: readonly number[], stopAfterMs = Number.POSITIVE_INFINITY) {
  const clock = new FakeClock()
  const end = new AbortController()
  const live = new LiveView(80, PLAN.durationMs)
  const drawn: string[] = []
  let outcome: Awaited<ReturnType<typeof runBench>> | undefined
  const intervals: Interval[] = []
  void runBench(PLAN, {
    clock,
    processes: pairs.map(count => new ScriptedProcess(clock, count)),
    ended: end.signal,
    onConnected: async () => {},
    onInterval: async (interval, total) => {
      intervals.push(interval)
      drawn.push(live.next(interval, total))
    },
  }).then(result => {
    outcome = result
  })
  await settle(5)
  for (let ms = 0; outcome === undefined && ms < 5_000; ms += 10) {
    clock.advance(10)
    if (ms >= stopAfterMs) end.abort()
    await settle(2)
  }
  if (outcome === undefined) throw new Error('not over')
  expect(outcome.intervals).toEqual(intervals)
  return { outcome, drawn, report: benchReport({ relay: 'relay.test', processes: pairs.length }, PLAN, outcome) }
}

test('adds up what the processes count, for each second and in all', async () => {
  const { report } = await outcomeOf([2, 1])
  expect(report).toMatchObject({
    pairs: { wanted: 3, connected: 3, reason: null },
    seconds: 2,
    sent: 40,
    received: 32,
    lost: 8,
    receivedPerSecond: 16,
    receivedBytesPerSecond: 1_600,
    rate: 10,
    window: null,
    latencyFrom: 'intended send time',
    latencyMs: { mean: 2, p50: 2.015, p999: 2.015 },
    histogram: [[2.015, 32]],
  })
  expect(report.intervals.map(({ seconds, sent, received }) => [seconds, sent, received])).toEqual([
    [1, 20, 16],
    [2, 20, 16],
  ])
})

test('interrupted, it reports what there is, over the time there was', async () => {
  const { report } = await outcomeOf([3], 1_490)
  expect(report.seconds).toBe(1)
  expect(report.sent).toBe(10)
})

test('without a connection nothing is run', async () => {
  const { outcome, report } = await outcomeOf([0])
  expect([outcome.connected, outcome.intervals, report.latencyMs.p50]).toEqual([
    { pairs: 0, reason: 'closed' },
    [],
    null,
  ])
  expect(reportText(report)).toContain('latency    not measured')
})

test('the report as CSV and text', async () => {
  const { report } = await outcomeOf([2])
  expect(
    reportCsv(report),
  ).toBe(`seconds,sent,sent_bytes,received,received_bytes,unsent,failures,mean_ms,p50_ms,p90_ms,p99_ms,p999_ms,max_ms
1,10,1000,8,800,0,0,2,2.015,2.015,2.015,2.015,2.015
2,10,1000,8,800,0,0,2,2.015,2.015,2.015,2.015,2.015
total,20,2000,16,1600,0,0,2,2.015,2.015,2.015,2.015,2.015
`)
  const latency = [
    [0.2, 1],
    [0.9, 80],
    [4, 3],
    [40, 1],
  ] as const
  expect(
    reportText({ ...report, histogram: latency, unsent: 3 }),
  ).toBe(`2 of 3 pairs, packets of 100 bytes, 10 packets/s in all, 2 s

packets    sent 20, received 16, lost 4, not sent in time 3
payload    sent 2.00 kB, received 1.60 kB
received   8 packets/s, 800 B/s
latency    p50 2.02 ms, p90 2.02 ms, p99 2.02 ms, p99.9 2.02 ms, max 2.02 ms, from the intended send time
sent late  p50 0.00 ms, p90 0.00 ms, p99 0.00 ms, p99.9 0.00 ms, max 0.00 ms, part of the latency

  ≤ 0.2 ms   1    1.2 %  ▌
  ≤ 0.5 ms   0    0.0 %
    ≤ 1 ms  80   94.1 %  ████████████████████████████████████████
    ≤ 2 ms   0    0.0 %
    ≤ 5 ms   3    3.5 %  █▌
   ≤ 10 ms   0    0.0 %
   ≤ 20 ms   0    0.0 %
   ≤ 50 ms   1    1.2 %  ▌
`)
})

test('the live view is redrawn in its place', async () => {
  const { drawn } = await outcomeOf([2])
  expect(drawn[0]).toBe(`1 of 2 s, sent 10, received 8
  received  8 packets/s          █
            800 B/s              █
  latency   p50 2.02 ms          █
            p99 2.02 ms          █
`)
  expect(drawn[1]?.startsWith('\x1b[5A\x1b[J2 of 2 s, sent 20, received 16\n')).toBe(true)
})

test.each([
  [
    10,
    3,
    [
      [0, 4],
      [4, 3],
      [7, 3],
    ],
  ],
  [
    2,
    5,
    [
      [0, 1],
      [1, 1],
    ],
  ],
])('%d pairs in %d processes', (pairs, processes, expected) => {
  const parts = partsOf({ ...PLAN, pairs }, processes)
  expect(parts.map(part => [part.firstPair, part.pairs])).toEqual(expected)
})
