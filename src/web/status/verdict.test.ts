import { expect, test } from 'vitest'
import type { CertificateStatus } from '../../tls/certificate-source.ts'
import { Interval } from './rates.ts'
import { type Judged, verdictOn } from './verdict.ts'

const DAY_MS = 86_400_000
const NOW_MS = 100 * DAY_MS

function certificate(status: Partial<CertificateStatus>): CertificateStatus {
  return {
    subject: 'relay.test',
    fingerprint: 'ab',
    notAfterMs: NOW_MS + 60 * DAY_MS,
    lastError: undefined,
    lastErrorMs: undefined,
    nextAttemptMs: undefined,
    failures: 0,
    replacements: 0,
    ...status,
  }
}

const judge = (judged: Partial<Judged>) =>
  verdictOn({ readiness: undefined, certificates: [], nowMs: NOW_MS, samples: new Map(), lately: undefined, ...judged })

/** The last ten seconds, by what each counter has grown. */
function lately(growth: Record<string, number>): Interval {
  const before = { atMs: 0, samples: new Map(Object.keys(growth).map(name => [name, 5] as const)) }
  const now = { atMs: 10_000, samples: new Map(Object.entries(growth).map(([name, by]) => [name, 5 + by] as const)) }
  return new Interval(before, now)
}

const drops = (reason: string) => `derphttp_packets_dropped{reason="${reason}"}`

test('verdictOn says in words that all is well, with what is known', () => {
  const samples = new Map([['derp_current_connections', 1]])
  expect(judge({ samples })).toEqual({ level: 'well', text: 'all is well: 1 client connected', problems: [] })
  const busy = lately({ derp_packets_received: 3_400, [drops('unknown_dest')]: 3 })
  expect(judge({ samples, lately: busy }).text).toBe(
    'all is well: 1 client connected, 340 packets a second, 3 dropped lately',
  )
})

test('verdictOn takes what makes the relay unready before what degrades it, each with what fixes it', () => {
  const readiness = {
    ready: false,
    problems: [{ name: 'certificate', reason: 'certificate for relay.test has expired' }],
    degraded: [{ name: 'mesh', reason: 'no link to b.test' }],
  }
  const { level, text, problems } = judge({ readiness })
  expect([level, text]).toEqual(['failing', 'certificate: certificate for relay.test has expired'])
  expect(problems.map(each => [each.level, each.fix.split(/[ ,]/)[0]])).toEqual([
    ['failing', 'put'],
    ['degraded', 'check'],
  ])
  const unknown = { ready: true, problems: [], degraded: [{ name: 'own-check', reason: 'broken' }] }
  expect(judge({ readiness: unknown })).toMatchObject({ level: 'degraded', text: 'own check: broken' })
})

test.each([
  [13.5 * DAY_MS, undefined, ['certificate for relay.test: 13 days left']],
  [1.5 * DAY_MS, undefined, ['certificate for relay.test: 1 day left']],
  [14 * DAY_MS, undefined, []],
  // An authority renews it in time.
  [5 * DAY_MS, NOW_MS + DAY_MS, []],
  // That is for readiness to say.
  [-DAY_MS, undefined, []],
])('verdictOn counts the days of a certificate that ends in %i ms', (leftMs, nextAttemptMs, texts) => {
  const certificates = [certificate({ notAfterMs: NOW_MS + leftMs, nextAttemptMs })]
  expect(judge({ certificates }).problems.map(({ text }) => text)).toEqual(texts)
})

test.each([
  [1_000, 20, ['packets: 2.0 % dropped lately, most as queue_head']],
  [1_000, 19, []],
  [3_000, 29, []],
])('verdictOn minds drops when they are a share: of %i packets %i', (received, dropped, texts) => {
  const interval = lately({
    derp_packets_received: received,
    [drops('queue_head')]: dropped - 1,
    [drops('unknown_dest')]: 1,
  })
  const { problems } = judge({ lately: interval })
  expect(problems.map(({ text }) => text)).toEqual(texts)
  if (texts.length > 0) expect(problems[0]?.fix).toContain('table of clients')
})

test('verdictOn names the flag that bounds what waits for slow readers', () => {
  const { problems } = judge({ lately: lately({ derp_packets_received: 100, [drops('queue_budget')]: 50 }) })
  expect(problems.map(({ fix }) => fix)).toEqual([expect.stringContaining('-max-queued-bytes')])
})

test('verdictOn minds a late event loop, refused connections and too many open files', () => {
  const interval = lately({
    derphttp_event_loop_delay_ms_sum: 300,
    derphttp_event_loop_delay_ms_count: 2,
    'derphttp_connections_refused{reason="rate"}': 3,
    'derphttp_connections_refused{reason="connections"}': 0,
  })
  const samples = new Map([
    ['process_open_fds', 820],
    ['process_max_fds', 1_024],
  ])
  expect(judge({ lately: interval, samples }).problems.map(({ text }) => text)).toEqual([
    'open files: 820 of at most 1024',
    'event loop: up to 150 ms late, and so is every packet',
    'connections: 3 refused lately (rate)',
  ])
})
