/** What is served over HTTP; pages of `/debug/` have a table of their own in debug/debug.ts. */

import type { HttpAnswer, HttpReply, HttpRequest, HttpService } from '../listen/http-service.ts'
import { HttpCounters } from '../metrics/http-counters.ts'
import { Readiness, type ReadinessSource } from '../status/readiness.ts'
import type { Endpoint, Page } from './page.ts'
import { bootstrapDnsPage } from './pages/bootstrap-dns.ts'
import { noContentPage } from './pages/generate-204.ts'
import { healthPages } from './pages/health.ts'
import { homePage } from './pages/home.ts'
import { probePage } from './pages/probe.ts'
import { robotsPage } from './pages/robots.ts'
import { redirectTo } from './redirect.ts'
import { errorReply, replyOf } from './reply.ts'
import { readRequestPath } from './request-path.ts'
import { upgradeRefusal } from './upgrade/upgrade-verdict.ts'

/** What is served at and below `/debug/`; `createDebug` makes it. */
export interface DebugRoutes {
  /** Whether a visitor may look. */
  readonly allows: (request: HttpRequest) => boolean
  /** Pages by exact path. */
  readonly exact: ReadonlyMap<string, Page>
  /** Answers for all other paths below `/debug/`. */
  readonly notFound: Page
}

/** Which parts of the table are on. */
export interface RouteOptions {
  /** Value of `-home`; see {@link homePage}. */
  readonly home?: string
  /** Whether `/derp` takes connections. */
  readonly derp?: boolean
  /** The debug pages; without them every path below `/debug/` is unknown. */
  readonly debug?: DebugRoutes
  /** What answers at `/bootstrap-dns`; `bootstrapDnsPage` makes it. Without it there are no names. */
  readonly bootstrapDns?: Page
  /** What `/readyz` tells. Default: ready, whatever happens. */
  readonly readiness?: ReadinessSource
}

/** Pages by exact path, and those for all other paths. */
export interface RouteTable {
  readonly exact: ReadonlyMap<string, Endpoint>
  readonly fallback: Endpoint
  /** Answers for paths below `/debug/` without a page (P-191). */
  readonly debugFallback: Endpoint
  /** Whether a visitor may see the debug pages. */
  readonly allowsDebug: (request: HttpRequest) => boolean
}

export interface Routes extends RouteTable, HttpService {}

/**
 * Builds the table.
 *
 * @param connect what answers at `/derp`; `derpEndpoint` makes it. By default nothing is upgraded.
 * @throws DerpError for an option that makes no sense.
 */
export function createRoutes(options: RouteOptions = {}, connect: Endpoint = upgradeRefusal): Routes {
  const derp = options.derp ?? true
  const allowDebug = options.debug?.allows
  const allowsDebug = allowDebug ?? (() => false)
  const exact = new Map<string, Endpoint>([
    ['/derp', derp ? connect : () => errorReply(404, 'derp server disabled')],
    ['/derp/probe', probePage],
    ['/derp/latency-check', probePage],
    ['/bootstrap-dns', options.bootstrapDns ?? bootstrapDnsPage({}, new HttpCounters().bootstrapDns)],
    ['/generate_204', noContentPage],
    ['/robots.txt', robotsPage],
    ...healthPages(options.readiness ?? new Readiness(), allowsDebug),
    ...(options.debug?.exact ?? []),
  ])
  return routesOf({
    exact,
    fallback: homePage(options.home ?? '', { disabled: !derp, ...(allowDebug !== undefined && { allowDebug }) }),
    debugFallback: options.debug?.notFound ?? (() => errorReply(404, '404 page not found')),
    allowsDebug,
  })
}

/** Serves a table. */
export function routesOf(table: RouteTable): Routes {
  return { ...table, answer: request => answerFrom(table, request) }
}

function answerFrom(table: RouteTable, request: HttpRequest): HttpAnswer | Promise<HttpReply> {
  const path = readRequestPath(request.target)
  if (path === undefined) return noPath(request)
  if (path.redirect !== undefined) return redirectTo(request, 307, path.redirect)
  const isDebug = path.path.startsWith('/debug/')
  const endpoint = table.exact.get(path.path) ?? (isDebug ? table.debugFallback : table.fallback)
  return endpoint(request)
}

/** Whether a target is for DERP connections. */
export function isForDerp(target: string): boolean {
  const path = readRequestPath(target)
  return path?.path === '/derp' && path.redirect === undefined
}

/** `OPTIONS *` asks for nothing and gets it; any other target without a path is malformed. */
function noPath({ target, method }: HttpRequest): HttpReply {
  if (target === '*' && method === 'OPTIONS') return { status: 200, body: '' }
  return replyOf(400, 'text/plain; charset=utf-8', target === '*' ? '' : '400 Bad Request', { Connection: 'close' })
}
