/**
 * `/debug/` and the pages below it.
 *
 * Clauses: P-190 access, P-191 index, P-192 and P-193 metrics, P-197 consistency, P-198 traffic, P-199 runtime.
 */

import { hostname } from 'node:os'
import type { Clock } from '../../lib/clock.ts'
import { formatDuration } from '../../lib/duration.ts'
import { clientAddress, type OriginOf, originReader } from '../../listen/client-address.ts'
import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import type { ClientsQuery } from '../../status/clients-query.ts'
import type { DebugSource } from '../../status/relay-view.ts'
import type { MetricReader } from '../../status/snapshot.ts'
import { expvarJson } from '../../status/vars-expvar.ts'
import { prometheusText } from '../../status/varz-prometheus.ts'
import type { Page } from '../page.ts'
import { BROWSER_HEADERS } from '../pages/browser-headers.ts'
import { queryOf } from '../query.ts'
import { errorReply, replyOf } from '../reply.ts'
import type { DebugRoutes } from '../routes.ts'
import { BadQueryError, formatOf, readClientsQuery } from './clients-request.ts'
import { type DebugAccess, type DebugAccessOptions, debugAccess } from './debug-access.ts'
import { clientsHtml, clientsIndexHtml, clientsJson } from './debug-clients.ts'
import { runtimePages } from './debug-runtime.ts'
import { trafficRounds } from './debug-traffic.ts'
import { escapeHtml, htmlPage } from './html.ts'

/** Options of the debug pages. */
export interface DebugOptions {
  /** Clients, traffic and consistency. */
  readonly source: DebugSource
  /** Reads all metrics anew. */
  readonly metrics: MetricReader
  /** Time and timers. */
  readonly clock: Clock
  /** Additional access. Default: only loopback and the tailnet. */
  readonly access?: DebugAccessOptions
  /** Origin of requests. Default: the peer address of the socket. */
  readonly originOf?: OriginOf
  /** Whether refusals explain how to get access, as the original does in development mode. */
  readonly hintsAtAccess?: boolean
  /** TLS host name, for the index. */
  readonly tlsHostname?: string
  /** Whether the relay has a mesh key, for the index. */
  readonly hasMeshKey?: boolean
  /** Further pages, for the index. */
  readonly links?: readonly Link[]
}

const HTML = 'text/html; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const TEXT = 'text/plain; charset=utf-8'
const CONSISTENT = 'derp.Server ConsistencyCheck okay'

/** Pages below the index may have inline styles. */
const PAGE_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  ...BROWSER_HEADERS,
  'Content-Security-Policy': `${BROWSER_HEADERS['Content-Security-Policy']}; style-src 'self' 'unsafe-inline'`,
})

/** A page on the index. */
type Link = readonly [path: string, title: string]

const LINKS: readonly Link[] = [
  ['/debug/vars', 'Metrics (JSON)'],
  ['/debug/varz', 'Metrics (Prometheus)'],
  ['/debug/check', 'Consistency check'],
  ['/debug/clients/', 'Connected clients'],
  ['/debug/traffic', 'Traffic check'],
  ['/debug/pprof/', 'Profiles'],
  ['/debug/gc', 'Force garbage collection'],
]

/** The debug pages, for the route table. */
export function createDebug(options: DebugOptions): DebugRoutes {
  const originOf = options.originOf ?? originReader()
  const allows = debugAccess(options.access, originOf)
  const hintFor = (request: HttpRequest) =>
    options.hintsAtAccess ? `; to permit access, set TS_ALLOW_DEBUG_IP=${clientAddress(originOf(request)) ?? ''}` : ''
  const guard = (page: Page) => guarded(allows, page, hintFor)
  return {
    allows,
    exact: new Map([
      ['/debug/', guarded(allows, () => indexReply(options))],
      ['/debug/vars', guard(async () => replyOf(200, JSON_TYPE, expvarJson(await options.metrics()), PAGE_HEADERS))],
      ['/debug/varz', guard(async () => replyOf(200, TEXT, prometheusText(await options.metrics()), PAGE_HEADERS))],
      ['/debug/check', guard(() => checkReply(options))],
      ...['/debug/clients', '/debug/clients/'].map(
        path => [path, guard(request => clientsReply(options, request))] as const,
      ),
      ['/debug/traffic', guard(request => trafficReply(options, request))],
      ...Array.from(runtimePages(options.clock, options.metrics), ([path, page]) => [path, guard(page)] as const),
    ]),
    notFound: guarded(allows, request => errorReply(404, notFoundText(request))),
  }
}

/** Most Go runtime profiles have no counterpart in V8. */
function notFoundText({ target }: HttpRequest): string {
  const isProfile = target.startsWith('/debug/pprof/')
  return isProfile ? 'no such profile; see /debug/pprof/' : '404 page not found'
}

function guarded(allows: DebugAccess, page: Page, hintFor: (request: HttpRequest) => string = () => ''): Page {
  return async request => {
    if (!allows(request)) return errorReply(403, `debug access denied${hintFor(request)}`)
    try {
      return await page(request)
    } catch (error) {
      return errorReply(500, `serve debug page: ${String(error)}`)
    }
  }
}

async function indexReply({ metrics, tlsHostname, hasMeshKey, links = [] }: DebugOptions): Promise<HttpReply> {
  const { process, version } = await metrics()
  const facts: readonly (readonly [string, string])[] = [
    ['Uptime', formatDuration(Math.round(process.uptimeSeconds) * 1_000)],
    ['Version', version],
    ['Machine', hostname()],
    ['TLS hostname', tlsHostname ?? ''],
    ['Mesh key', String(hasMeshKey ?? false)],
  ]
  const items = [
    ...facts.map(([name, value]) => `<li><b>${name}:</b> ${escapeHtml(value)}</li>`),
    ...[...links, ...LINKS].map(([path, title]) => `<li><a href="${path}">${path}</a> (${title})</li>`),
  ]
  return replyOf(200, HTML, htmlPage('derper debug', `<ul>\n${items.join('\n')}\n</ul>`), BROWSER_HEADERS)
}

async function checkReply({ source }: DebugOptions): Promise<HttpReply> {
  const found = await source.inconsistencies()
  if (found.length === 0) return replyOf(200, TEXT, CONSISTENT, PAGE_HEADERS)
  return replyOf(500, TEXT, `${found.join(', ')}\n`, PAGE_HEADERS)
}

async function clientsReply({ source, clock }: DebugOptions, request: HttpRequest): Promise<HttpReply> {
  try {
    const parameters = queryOf(request)
    const isJson = formatOf(parameters) === 'json'
    const query = readClientsQuery(parameters, clock.wallNow())
    const [type, body] = await (query === undefined ? clientsIndex(source, isJson) : clientsPage(source, query, isJson))
    return replyOf(200, type, body, PAGE_HEADERS)
  } catch (error) {
    if (error instanceof BadQueryError) return errorReply(400, error.message)
    throw error
  }
}

async function clientsPage(source: DebugSource, query: ClientsQuery, isJson: boolean): Promise<[string, string]> {
  const page = await source.clients(query)
  return isJson ? [JSON_TYPE, clientsJson(query, page)] : [HTML, clientsHtml(query, page)]
}

async function clientsIndex(source: DebugSource, isJson: boolean): Promise<[string, string]> {
  const { counters, localKeys, heldBack } = await source.snapshot()
  const counts = {
    conns: counters.currentConnections,
    keys: localKeys,
    heldBack: counters.totalRateWaits === 0 ? undefined : heldBack,
  }
  return isJson ? [JSON_TYPE, `${JSON.stringify(counts)}\n`] : [HTML, clientsIndexHtml(counts)]
}

function trafficReply({ source, clock }: DebugOptions, { left }: HttpRequest): HttpReply {
  return {
    status: 200,
    headers: { ...PAGE_HEADERS, 'Content-Type': TEXT },
    body: trafficRounds(source, clock, left),
  }
}
