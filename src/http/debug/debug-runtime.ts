/**
 * `/debug/gc` and `/debug/pprof/`: what the original's pages of the Go runtime are for, by the means of this runtime (P-199).
 *
 * There is no heap snapshot among them: it would hold keys and tokens, and stop the relay for seconds.
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

/** Seconds that a profile takes, unless `?seconds=` says otherwise, and most that it may take. */
const DEFAULT_SECONDS = 30
const MAX_SECONDS = 60

/** By kind of profile, if they are some. */
const PROFILES: readonly (readonly [path: string, title: string, kind?: ProfileKind])[] = [
  ['/debug/pprof/profile?seconds=10', 'where time goes, as .cpuprofile', 'cpu'],
  ['/debug/pprof/heap?seconds=10', 'memory that is taken meanwhile and still held at the end, as .heapprofile', 'heap'],
  ['/debug/pprof/cmdline', 'the command line'],
]

const NO_PROFILE = `not made by ${RUNTIME_TITLE}; a relay on Node.js makes it`

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
  const note = `<p>One profile at a time, of at most ${MAX_SECONDS} seconds. The developer tools of Chrome open them.</p>`
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
  if (seconds === undefined) return errorReply(400, `seconds is no whole number from 1 to ${MAX_SECONDS}`)
  if (!profiler.makes(kind)) return errorReply(501, NO_PROFILE)
  if (profiler.isBusy) return errorReply(409, 'another profile is being made')
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
