/** The table of HTTP routes; `/debug/` has its own in debug/debug.ts. */

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

/** Routes below `/debug/`, from `createDebug`. */
export interface DebugRoutes {
  /** Whether the request has access. */
  readonly allows: (request: HttpRequest) => boolean
  /** Pages by exact path. */
  readonly exact: ReadonlyMap<string, Page>
  /** Replies for all other paths below `/debug/`. */
  readonly notFound: Page
}

/** Options of a relay's HTTP routes. */
export interface RouteOptions {
  /** What `/` shows: `blank`, `404`, or an http(s) URL to redirect to. Default: a page about the relay. */
  readonly home?: string
  /** Whether `/derp` accepts connections. Default: true. */
  readonly derp?: boolean
  /** Additional pages by exact path. Default: none. */
  readonly pages?: ReadonlyMap<string, Page>
  /** The debug pages; without them, paths below `/debug/` are not found. */
  readonly debug?: DebugRoutes
  /** The page `/bootstrap-dns`, from `bootstrapDnsPage`. Default: no names. */
  readonly bootstrapDns?: Page
  /** The state that `/readyz` reports. Default: always ready. */
  readonly readiness?: ReadinessSource
}

/** Endpoints by exact path, and for all other paths. */
export interface RouteTable {
  /** Endpoints by exact path. */
  readonly exact: ReadonlyMap<string, Endpoint>
  /** Replies for all other paths. */
  readonly fallback: Endpoint
  /** Replies for unknown paths below `/debug/` (P-191). */
  readonly debugFallback: Endpoint
  /** Whether the request may see debug pages. */
  readonly allowsDebug: (request: HttpRequest) => boolean
}

/** The HTTP routes of a relay, as a service for {@link createHttpListener}. */
export interface Routes extends RouteTable, HttpService {}

/**
 * Creates the table.
 *
 * @param connect the endpoint `/derp`, from `derpEndpoint`. By default nothing is upgraded.
 * @throws DerpError for an invalid option.
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
    ...(options.pages ?? []),
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

/** Whether a target is the DERP endpoint. */
export function isForDerp(target: string): boolean {
  const path = readRequestPath(target)
  return path?.path === '/derp' && path.redirect === undefined
}

/** `OPTIONS *` is valid; any other target without a path is malformed. */
function noPath({ target, method }: HttpRequest): HttpReply {
  if (target === '*' && method === 'OPTIONS') return { status: 200, body: '' }
  return replyOf(400, 'text/plain; charset=utf-8', target === '*' ? '' : '400 Bad Request', { Connection: 'close' })
}
