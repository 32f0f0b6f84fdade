/** The whole table of what is served over HTTP. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { UpgradeHead } from '../listen/upgrade-head.ts'
import { HttpCounters } from '../metrics/http-counters.ts'
import { Readiness, type ReadinessSource } from '../status/readiness.ts'
import { bootstrapDnsHandler } from './pages/bootstrap-dns.ts'
import { serveNoContent } from './pages/generate-204.ts'
import { healthRoutes } from './pages/health.ts'
import { type HttpHandler, homeHandler } from './pages/home.ts'
import { probeHandler } from './pages/probe.ts'
import { robotsHandler } from './pages/robots.ts'
import { sendRedirect } from './redirect.ts'
import { send, sendError } from './reply.ts'
import { readRequestPath } from './request-path.ts'
import { isDerpUpgrade, upgradeRequired } from './upgrade/upgrade.ts'

/** What is served at and below `/debug/`; `createDebug` makes it. */
export interface DebugRoutes {
  /** Whether a visitor may look. */
  readonly allows: (request: IncomingMessage) => boolean
  /** Handlers by exact path. */
  readonly exact: ReadonlyMap<string, HttpHandler>
  /** Answers for all other paths below `/debug/`. */
  readonly notFound: HttpHandler
}

/** Which parts of the table are on. */
export interface RouteOptions {
  /** Value of `-home`; see {@link homeHandler}. */
  readonly home?: string
  /** Whether `/derp` takes connections. */
  readonly derp?: boolean
  /** The debug pages; without them every path below `/debug/` is unknown. */
  readonly debug?: DebugRoutes
  /** What answers at `/bootstrap-dns`; `bootstrapDnsHandler` makes it. Without it there are no names. */
  readonly bootstrapDns?: HttpHandler
  /** What `/readyz` tells. Default: ready, whatever happens. */
  readonly readiness?: ReadinessSource
}

/** Handlers by exact path, and the one for all other paths. */
export interface Routes {
  readonly exact: ReadonlyMap<string, HttpHandler>
  readonly fallback: HttpHandler
  /** Answers for paths below `/debug/` without a handler (P-191). */
  readonly debugFallback: HttpHandler
  /** Whether `/derp` takes connections. */
  readonly takesDerp: boolean
  /** Whether a visitor may see the debug pages. */
  readonly allowsDebug: (request: IncomingMessage) => boolean
}

/** Builds the table. @throws DerpError for an option that makes no sense. */
export function createRoutes(options: RouteOptions = {}): Routes {
  const derp = options.derp ?? true
  const allowDebug = options.debug?.allows
  const allowsDebug = allowDebug ?? (() => false)
  const exact = new Map<string, HttpHandler>([
    ['/derp', derp ? upgradeRequired : (_, response) => sendError(response, 404, 'derp server disabled')],
    ['/derp/probe', probeHandler],
    ['/derp/latency-check', probeHandler],
    ['/bootstrap-dns', options.bootstrapDns ?? bootstrapDnsHandler({}, new HttpCounters().bootstrapDns)],
    ['/generate_204', serveNoContent],
    ['/robots.txt', robotsHandler],
    ...healthRoutes(options.readiness ?? new Readiness(), allowsDebug),
    ...(options.debug?.exact ?? []),
  ])
  return {
    exact,
    fallback: homeHandler(options.home ?? '', { disabled: !derp, ...(allowDebug !== undefined && { allowDebug }) }),
    debugFallback: options.debug?.notFound ?? ((_, response) => sendError(response, 404, '404 page not found')),
    takesDerp: derp,
    allowsDebug,
  }
}

/** Answers one request from the table. */
export function route(routes: Routes, request: IncomingMessage, response: ServerResponse): void {
  const target = readRequestPath(request.url ?? '/')
  if (target === undefined) {
    answerNoPath(request, response)
  } else if (target.redirect !== undefined) {
    sendRedirect(response, 307, target.redirect)
  } else {
    const isDebug = target.path.startsWith('/debug/')
    const handler = routes.exact.get(target.path) ?? (isDebug ? routes.debugFallback : routes.fallback)
    handler(request, response)
  }
}

/** Reports whether the request is for `/derp`, where connections are taken. */
export function isForDerp(routes: Routes, request: UpgradeHead): boolean {
  if (!routes.takesDerp) return false
  if (request.url === '/derp') return true
  const target = readRequestPath(request.url ?? '/')
  return target?.path === '/derp' && target.redirect === undefined
}

/** Reports whether the request is for `/derp` and asks for what can be had there (P-120). */
export function isUpgrade(routes: Routes, request: IncomingMessage): boolean {
  return isForDerp(routes, request) && isDerpUpgrade(request)
}

/** `OPTIONS *` asks for nothing and gets it; any other target without a path is malformed. */
function answerNoPath(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '*' && request.method === 'OPTIONS') {
    response.writeHead(200, { 'Content-Length': '0' }).end()
    return
  }
  response.setHeader('Connection', 'close')
  send(response, 400, 'text/plain; charset=utf-8', request.url === '*' ? '' : '400 Bad Request')
}
