/**
 * `/debug/` and the pages below it.
 *
 * Clauses: P-190 access, P-191 index, P-192 and P-193 metrics, P-197 consistency, P-198 traffic, P-199 runtime.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import type { Clock } from '../../lib/clock.ts'
import { formatDuration } from '../../lib/duration.ts'
import { clientAddress, type OriginOf, originReader } from '../../listen/client-address.ts'
import { expvarJson } from '../../status/expvar-json.ts'
import { prometheusText } from '../../status/prometheus.ts'
import type { DebugSource } from '../../status/relay-view.ts'
import type { MetricReader } from '../../status/snapshot.ts'
import { BROWSER_HEADERS } from '../pages/browser-headers.ts'
import { queryOf } from '../query.ts'
import { send, sendError } from '../reply.ts'
import type { DebugRoutes } from '../routes.ts'
import { type DebugAccess, type DebugAccessOptions, debugAccess } from './debug-access.ts'
import { CLIENTS_PER_PAGE, clientsHtml, clientsJson, pageNumber } from './debug-clients.ts'
import { type DebugPage, escapeHtml, htmlPage } from './debug-page.ts'
import { runtimePages } from './debug-runtime.ts'
import { streamTraffic } from './debug-traffic.ts'

export interface DebugOptions {
  readonly source: DebugSource
  readonly metrics: MetricReader
  readonly clock: Clock
  /** Who else may look. Default: nobody but this machine and the tailnet. */
  readonly access?: DebugAccessOptions
  /** Where requests come from. Default: from the peers of their sockets. */
  readonly originOf?: OriginOf
  /** Say to those without access how to get it, as the original does in development mode. */
  readonly hintsAtAccess?: boolean
  /** TLS host name, for the index. */
  readonly tlsHostname?: string
  /** Whether the relay has a mesh key, for the index. */
  readonly hasMeshKey?: boolean
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

const LINKS: readonly (readonly [path: string, title: string])[] = [
  ['/debug/vars', 'Metrics (JSON)'],
  ['/debug/varz', 'Metrics (Prometheus)'],
  ['/debug/check', 'Consistency check'],
  ['/debug/clients', 'Clients'],
  ['/debug/traffic', 'Traffic check'],
  ['/debug/pprof/', 'Profiles'],
  ['/debug/gc', 'Force garbage collection'],
]

/** The debug pages, to be put into the table of routes. */
export function createDebug(options: DebugOptions): DebugRoutes {
  const originOf = options.originOf ?? originReader()
  const allows = debugAccess(options.access, originOf)
  const hintFor = (request: IncomingMessage) =>
    options.hintsAtAccess ? `; to permit access, set TS_ALLOW_DEBUG_IP=${clientAddress(originOf(request)) ?? ''}` : ''
  const page = (serve: DebugPage) => guarded(allows, serve, hintFor)
  return {
    allows,
    exact: new Map([
      ['/debug/', guarded(allows, (_, response) => serveIndex(options, response))],
      ['/debug/vars', page((_, response) => serveVars(options, response))],
      ['/debug/varz', page((_, response) => serveVarz(options, response))],
      ['/debug/check', page((_, response) => serveCheck(options, response))],
      ['/debug/clients', page((request, response) => serveClients(options, request, response))],
      ['/debug/traffic', page((_, response) => serveTraffic(options, response))],
      ...Array.from(runtimePages(options.clock, options.metrics), ([path, serve]) => [path, page(serve)] as const),
    ]),
    notFound: guarded(allows, async (request, response) => sendError(response, 404, notFoundText(request))),
  }
}

/** Profiles of the Go runtime have no like here. */
function notFoundText({ url = '' }: IncomingMessage): string {
  const isProfile = url.startsWith('/debug/pprof/')
  return isProfile ? 'no such profile; /debug/pprof/ lists those there are' : '404 page not found'
}

function guarded(
  allows: DebugAccess,
  serve: DebugPage,
  hintFor: (request: IncomingMessage) => string = () => '',
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    if (!allows(request)) {
      sendError(response, 403, `debug access denied${hintFor(request)}`)
      return
    }
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else sendError(response, 500, `serve debug page: ${String(error)}`)
    })
  }
}

async function serveIndex({ metrics, tlsHostname, hasMeshKey }: DebugOptions, response: ServerResponse): Promise<void> {
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
    ...LINKS.map(([path, title]) => `<li><a href="${path}">${path}</a> (${title})</li>`),
  ]
  send(response, 200, HTML, htmlPage('derper debug', `<ul>\n${items.join('\n')}\n</ul>`), BROWSER_HEADERS)
}

async function serveVars({ metrics }: DebugOptions, response: ServerResponse): Promise<void> {
  send(response, 200, JSON_TYPE, expvarJson(await metrics()), PAGE_HEADERS)
}

async function serveVarz({ metrics }: DebugOptions, response: ServerResponse): Promise<void> {
  send(response, 200, TEXT, prometheusText(await metrics()), PAGE_HEADERS)
}

async function serveCheck({ source }: DebugOptions, response: ServerResponse): Promise<void> {
  const found = await source.inconsistencies()
  if (found.length === 0) send(response, 200, TEXT, CONSISTENT, PAGE_HEADERS)
  else send(response, 500, TEXT, `${found.join(', ')}\n`, PAGE_HEADERS)
}

async function serveClients(
  { source }: DebugOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const query = queryOf(request)
  const page = pageNumber(query)
  if (page === undefined) {
    sendError(response, 400, 'bad page value')
    return
  }
  const clients = await source.clients((page - 1) * CLIENTS_PER_PAGE, CLIENTS_PER_PAGE)
  if (query.get('format') === 'json') send(response, 200, JSON_TYPE, clientsJson(page, clients), PAGE_HEADERS)
  else send(response, 200, HTML, clientsHtml(page, clients), PAGE_HEADERS)
}

async function serveTraffic({ source, clock }: DebugOptions, response: ServerResponse): Promise<void> {
  response.writeHead(200, { ...PAGE_HEADERS, 'Content-Type': TEXT })
  if (response.req.method === 'HEAD') response.end()
  else await streamTraffic(source, clock, response)
}
