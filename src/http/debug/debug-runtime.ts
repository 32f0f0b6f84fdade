/**
 * `/debug/gc` and `/debug/pprof/`: what the original's pages of the Go runtime are for, by V8's means (P-199).
 *
 * There is no heap snapshot among them: it would hold keys and tokens, and stop the relay for seconds.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../lib/clock.ts'
import type { MetricReader } from '../../status/snapshot.ts'
import { BROWSER_HEADERS } from '../pages/browser-headers.ts'
import { queryOf } from '../query.ts'
import { send, sendError } from '../reply.ts'
import { type DebugPage, escapeHtml, htmlPage } from './debug-page.ts'
import { type ProfileKind, V8Profiler } from './v8-profiler.ts'

/** Seconds that a profile takes, unless `?seconds=` says otherwise, and most that it may take. */
const DEFAULT_SECONDS = 30
const MAX_SECONDS = 60

const PROFILES: readonly (readonly [path: string, title: string])[] = [
  ['/debug/pprof/profile?seconds=10', 'where time goes, as .cpuprofile'],
  ['/debug/pprof/heap?seconds=10', 'memory that is taken meanwhile and still held at the end, as .heapprofile'],
  ['/debug/pprof/cmdline', 'the command line'],
]

/** The pages by path. */
export function runtimePages(clock: Clock, metrics: MetricReader): ReadonlyMap<string, DebugPage> {
  const profiler = new V8Profiler()
  const profile = (kind: ProfileKind): DebugPage => {
    return (request, response) => serveProfile({ profiler, clock, kind }, request, response)
  }
  return new Map([
    ['/debug/gc', (_, response) => serveGarbageCollection(profiler, response)],
    ['/debug/pprof/', async (_, response) => serveIndex(response)],
    ['/debug/pprof/profile', profile('cpu')],
    ['/debug/pprof/heap', profile('heap')],
    ['/debug/pprof/cmdline', async (_, response) => serveCommandLine(await metrics(), response)],
  ] satisfies [string, DebugPage][])
}

function serveIndex(response: ServerResponse): void {
  const items = PROFILES.map(([path, title]) => `<li><a href="${path}">${path}</a> (${escapeHtml(title)})</li>`)
  const note = `<p>One profile at a time, of at most ${MAX_SECONDS} seconds. The developer tools of Chrome open them.</p>`
  const body = htmlPage('derper profiles', `<ul>\n${items.join('\n')}\n</ul>\n${note}`)
  send(response, 200, 'text/html; charset=utf-8', body, BROWSER_HEADERS)
}

function serveCommandLine({ commandLine }: { commandLine: readonly string[] }, response: ServerResponse): void {
  send(response, 200, 'text/plain; charset=utf-8', commandLine.join('\0'), BROWSER_HEADERS)
}

async function serveGarbageCollection(profiler: V8Profiler, response: ServerResponse): Promise<void> {
  const before = process.memoryUsage().heapUsed
  await profiler.collectGarbage()
  const after = process.memoryUsage().heapUsed
  const text = `running GC...\nheap in use: ${before} bytes before, ${after} bytes after\nDone.\n`
  send(response, 200, 'text/plain; charset=utf-8', text, BROWSER_HEADERS)
}

interface ProfileJob {
  readonly profiler: V8Profiler
  readonly clock: Clock
  readonly kind: ProfileKind
}

async function serveProfile(job: ProfileJob, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { profiler, clock, kind } = job
  const seconds = secondsIn(queryOf(request))
  if (seconds === undefined) {
    sendError(response, 400, `seconds is no whole number from 1 to ${MAX_SECONDS}`)
    return
  }
  if (profiler.isBusy) {
    sendError(response, 409, 'another profile is being made')
    return
  }
  // Nothing moves on the connection until the profile is there.
  request.socket.setTimeout(0)
  const profile = await profiler.profile(kind, timeOrEnd(clock, seconds * 1_000, response))
  if (response.closed) return
  send(response, 200, 'application/octet-stream', JSON.stringify(profile), {
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

/** Resolves after `ms`, or when the reader leaves. */
function timeOrEnd(clock: Clock, ms: number, response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      timer.cancel()
      response.off('close', done)
      resolve()
    }
    const timer = clock.after(ms, done)
    response.once('close', done)
    if (response.closed) done()
  })
}
