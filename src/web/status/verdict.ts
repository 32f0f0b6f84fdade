/** Whether all is well, in words, and if not what is wrong and what fixes it. Pure. */

import { fixOfCheck } from '../../diagnose/check-fixes.ts'
import type { DropReason } from '../../metrics/drop-reason.ts'
import type { Finding, ReadinessReport } from '../../status/readiness.ts'
import type { CertificateStatus } from '../../tls/certificate-source.ts'
import type { Samples } from './groups.ts'
import { daysLeft } from './lists.ts'
import { type Interval, totalGrowth } from './rates.ts'
import type { Problem, Verdict } from './status-report.ts'

export interface Judged {
  readonly readiness: ReadinessReport | undefined
  readonly certificates: readonly CertificateStatus[]
  /** Milliseconds since 1970. */
  readonly nowMs: number
  readonly samples: Samples
  /** The last minute, or what is known of it; undefined where nothing is. */
  readonly lately: Interval | undefined
}

/** Share of packets that may be dropped, and how many must be for the share to mean anything. */
const DROP_SHARE = 0.01
const FEW_DROPS = 20
/** Milliseconds that the event loop may be late in the longest case of five seconds, on average. */
const LATE_MS = 100
/** Share of open files from which there is little room. */
const FULL_SHARE = 0.8
/** Days of warning before a certificate expires that is not renewed automatically. */
const CERTIFICATE_DAYS = 14

/** Always 0 in this relay. */
type NeverDropped = typeof DropReason.QueueTail | typeof DropReason.DuplicateClient

/** What to do about drops, by reason. */
const FIXES_OF_DROPS: Readonly<Record<Exclude<DropReason, NeverDropped>, string>> = {
  queue_head: 'some clients read too slowly: sort the table of clients by queue',
  unknown_dest: 'clients send to keys that are not here: peers that have left, or a missing mesh link',
  unknown_dest_on_fwd: 'mesh peers forward to keys that have left; this passes when they have heard of it',
  gone_disconnected: 'clients left while packets waited for them; many at once means a bad network',
  write_error: 'connections broke while packets were written; many at once means a bad network',
  queue_budget:
    'slow clients together hold all that -max-queued-bytes allows: raise it if there is memory, or sort the table of clients by queue',
  find_failed: 'the region did not say where clients are: see whether NATS and all its relays can be reached',
  find_displaced: 'many packets came for clients that were still being found; this passes when they have been',
  worker_behind: 'a worker is too slow: run more of them (-workers), or use a faster machine',
}

/** The verdict on a relay. */
export function verdictOn(judged: Judged): Verdict {
  const problems = [
    ...readinessProblems(judged.readiness),
    ...certificateProblems(judged),
    ...fileProblems(judged.samples),
    ...(judged.lately === undefined ? [] : recentProblems(judged.lately)),
  ].toSorted((a, b) => rank(a) - rank(b))
  const [worst] = problems
  if (worst !== undefined) return { level: worst.level, text: worst.text, problems }
  return { level: 'well', text: wellInWords(judged), problems }
}

function rank({ level }: Problem): number {
  return level === 'failing' ? 0 : 1
}

function readinessProblems(readiness: ReadinessReport | undefined): Problem[] {
  const problem =
    (level: Problem['level']) =>
    ({ name, reason }: Finding): Problem => ({
      level,
      text: `${name.replaceAll('-', ' ')}: ${reason}`,
      fix: fixOfCheck(name),
    })
  return [
    ...(readiness?.problems ?? []).map(problem('failing')),
    ...(readiness?.degraded ?? []).map(problem('degraded')),
  ]
}

function certificateProblems({ certificates, nowMs }: Judged): Problem[] {
  return certificates.flatMap(({ subject, notAfterMs, nextAttemptMs }): Problem[] => {
    if (notAfterMs === undefined || notAfterMs <= nowMs || nextAttemptMs !== undefined) return []
    const days = daysLeft(notAfterMs, nowMs)
    if (days >= CERTIFICATE_DAYS) return []
    const text = `certificate for ${subject}: ${days} ${days === 1 ? 'day' : 'days'} left`
    return [{ level: 'degraded', text, fix: 'renew it and replace its files; a running relay takes the new ones' }]
  })
}

function fileProblems(samples: Samples): Problem[] {
  const [open, most] = [samples.get('process_open_fds') ?? 0, samples.get('process_max_fds') ?? 0]
  if (most === 0 || open < most * FULL_SHARE) return []
  const text = `open files: ${open} of at most ${most}`
  return [{ level: 'degraded', text, fix: 'raise the limit (LimitNOFILE of systemd, ulimit -n) and start it again' }]
}

function recentProblems(lately: Interval): Problem[] {
  return [...dropProblems(lately), ...delayProblems(lately), ...refusalProblems(lately)]
}

function dropProblems(lately: Interval): Problem[] {
  const dropped = totalGrowth(lately, 'derphttp_packets_dropped')
  const share = dropped / Math.max(1, lately.growth('derp_packets_received'))
  if (dropped < FEW_DROPS || share < DROP_SHARE) return []
  const [most] = lately.growthByLabel('derphttp_packets_dropped')
  const reason = most?.label ?? ''
  const text = `packets: ${percent(share)} dropped lately, most as ${reason}`
  const fixes: Readonly<Record<string, string>> = FIXES_OF_DROPS
  return [{ level: 'degraded', text, fix: fixes[reason] ?? 'see the table of drops' }]
}

function delayProblems(lately: Interval): Problem[] {
  const lateMs = lately.mean('derphttp_event_loop_delay_ms') ?? 0
  if (lateMs < LATE_MS) return []
  const text = `event loop: up to ${Math.round(lateMs)} ms late, and so is every packet`
  const fix =
    'run more workers (-workers), use a faster machine, or look at /debug/pprof/profile for what takes the time'
  return [{ level: 'degraded', text, fix }]
}

function refusalProblems(lately: Interval): Problem[] {
  const refused = totalGrowth(lately, 'derphttp_connections_refused')
  if (refused === 0) return []
  const reasons = lately.growthByLabel('derphttp_connections_refused').map(({ label }) => label)
  const text = `connections: ${refused} refused lately (${reasons.join(', ')})`
  return [{ level: 'degraded', text, fix: 'if these were clients of yours, raise the limit that the reason names' }]
}

function wellInWords({ samples, lately }: Judged): string {
  const clients = samples.get('derp_current_connections') ?? 0
  const connected = `${clients} ${clients === 1 ? 'client' : 'clients'} connected`
  if (lately === undefined) return `all is well: ${connected}`
  const packets = Math.round(lately.perSecond('derp_packets_received'))
  const dropped = totalGrowth(lately, 'derphttp_packets_dropped')
  return `all is well: ${connected}, ${packets} packets a second, ${dropped === 0 ? 'none' : dropped} dropped lately`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
