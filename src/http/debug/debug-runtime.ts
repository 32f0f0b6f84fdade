/**
 * `/debug/gc` and `/debug/pprof/`: counterparts of the original's Go runtime pages (P-199).
 *
 * No heap snapshots: they would contain keys and tokens, and pause the relay for seconds.
 */

import type { Clock } from '../../lib/clock.ts'
import { RUNTIME_TITLE } from '../../lib/runtime.ts'
import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import type { MetricReader } from '../../status/snapshot.ts'
import type { Page } from '../page.ts'
import { BROWSER_HEADERS } from '../pages/browser-headers.ts'
import { queryOf } from '../query.ts'
import { errorReply, replyOf } from '../reply.ts'
import type { ProfileKind } from './engine.ts'
import { escapeHtml, htmlPage } from './html.ts'
import { Profiler } from './profiler.ts'
import { timeOrLeave } from './time-or-leave.ts'

/** Default and maximum duration of a profile, set by `?seconds=`. */
const DEFAULT_SECONDS = 30
const MAX_SECONDS = 60

/** With the kind, for profiles. */
const PROFILES: readonly (readonly [path: string, title: string, kind?: ProfileKind])[] = [
  ['/debug/pprof/profile?seconds=10', 'CPU time, as .cpuprofile', 'cpu'],
  [
    '/debug/pprof/heap?seconds=10',
    'memory allocated during the profile and still in use at its end, as .heapprofile',
    'heap',
  ],
  ['/debug/pprof/cmdline', 'command line'],
]

const NO_PROFILE = `not available on ${RUNTIME_TITLE}; run the relay on Node.js`

/** The pages by path. */
export function runtimePages(
  clock: Clock,
  metrics: MetricReader,
  profiler: Profiler = new Profiler(),
): ReadonlyMap<string, Page> {
  const profile = (kind: ProfileKind): Page => {
    return request => profileReply({ profiler, clock, kind }, request)
  }
  return new Map<string, Page>([
    ['/debug/gc', () => collectGarbage(profiler)],
    ['/debug/pprof/', () => indexReply(profiler)],
    ['/debug/pprof/profile', profile('cpu')],
    ['/debug/pprof/heap', profile('heap')],
    ['/debug/pprof/cmdline', async () => commandLineReply(await metrics())],
  ])
}

function indexReply(profiler: Profiler): HttpReply {
  const items = PROFILES.map(([path, title, kind]) => {
    if (kind !== undefined && !profiler.makes(kind)) return `<li>${path} (${NO_PROFILE})</li>`
    return `<li><a href="${path}">${path}</a> (${escapeHtml(title)})</li>`
  })
  const note = `<p>One profile at a time, of at most ${MAX_SECONDS} seconds. Open them in Chrome DevTools.</p>`
  const body = htmlPage('derper profiles', `<ul>\n${items.join('\n')}\n</ul>\n${note}`)
  return replyOf(200, 'text/html; charset=utf-8', body, BROWSER_HEADERS)
}

function commandLineReply({ commandLine }: { commandLine: readonly string[] }): HttpReply {
  return replyOf(200, 'text/plain; charset=utf-8', commandLine.join('\0'), BROWSER_HEADERS)
}

async function collectGarbage(profiler: Profiler): Promise<HttpReply> {
  const before = process.memoryUsage().heapUsed
  await profiler.collectGarbage()
  const after = process.memoryUsage().heapUsed
  const text = `running GC...\nheap in use: ${before} bytes before, ${after} bytes after\nDone.\n`
  return replyOf(200, 'text/plain; charset=utf-8', text, BROWSER_HEADERS)
}

interface ProfileJob {
  readonly profiler: Profiler
  readonly clock: Clock
  readonly kind: ProfileKind
}

async function profileReply({ profiler, clock, kind }: ProfileJob, request: HttpRequest): Promise<HttpReply> {
  const seconds = secondsIn(queryOf(request))
  if (seconds === undefined) return errorReply(400, `seconds is not a whole number from 1 to ${MAX_SECONDS}`)
  if (!profiler.makes(kind)) return errorReply(501, NO_PROFILE)
  if (profiler.isBusy) return errorReply(409, 'another profile is in progress')
  const profile = await profiler.profile(kind, timeOrLeave(clock, seconds * 1_000, request.left))
  return replyOf(200, 'application/octet-stream', JSON.stringify(profile), {
    ...BROWSER_HEADERS,
    'Content-Disposition': `attachment; filename="derper.${kind}profile"`,
  })
}

function secondsIn(query: URLSearchParams): number | undefined {
  const text = query.get('seconds') ?? String(DEFAULT_SECONDS)
  if (!/^\d{1,2}$/.test(text)) return undefined
  const seconds = Number(text)
  return seconds >= 1 && seconds <= MAX_SECONDS ? seconds : undefined
}
