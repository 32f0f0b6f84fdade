/** What `derpprobe` serves over HTTP. */

import { hostname } from 'node:os'
import { type DebugAccessOptions, debugAccess } from '../../http/debug/debug-access.ts'
import { escapeHtml, htmlPage } from '../../http/debug/html.ts'
import type { Page } from '../../http/page.ts'
import { BROWSER_HEADERS } from '../../http/pages/browser-headers.ts'
import { errorReply, replyOf } from '../../http/reply.ts'
import { type Routes, routesOf } from '../../http/routes.ts'
import type { Slots } from '../../lib/slots.ts'
import type { CidrList } from '../../listen/cidr-list.ts'
import { clientAddress, originReader } from '../../listen/client-address.ts'
import type { HttpRequest } from '../../listen/http-service.ts'
import type { DerpProber } from '../../monitor/derp-prober.ts'
import { probeMetrics } from '../../monitor/exposition.ts'
import { matrixOf } from '../../monitor/matrix.ts'
import type { MonitorPorts } from '../../monitor/ports.ts'
import type { Prober } from '../../monitor/prober.ts'
import { probeAllPage, probeRunPage } from './probe-pages.ts'
import { processMetrics } from './process-metrics.ts'
import { REFRESH_SCRIPT } from './refresh-script.ts'
import { statusHtml } from './status-page.ts'
import { targetPage } from './target-page.ts'

export interface ProbeRoutes {
  readonly prober: Prober
  readonly derp: DerpProber
  readonly ports: MonitorPorts
  readonly logins: Slots | undefined
  readonly version: string
  /** Who has access to everything but the status page and `/healthz`. */
  readonly access: DebugAccessOptions & { readonly ranges: CidrList | undefined }
}

const HTML = 'text/html; charset=utf-8'
const TEXT = 'text/plain; charset=utf-8'
const EXPOSITION = 'text/plain; version=0.0.4; charset=utf-8'
/** The page has its style within, and its script beside it. */
const PAGE_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  ...BROWSER_HEADERS,
  'Content-Security-Policy': `${BROWSER_HEADERS['Content-Security-Policy']}; style-src 'self' 'unsafe-inline'`,
  'Cache-Control': 'no-store',
})

const LINKS: readonly (readonly [path: string, title: string])[] = [
  ['/debug/varz', 'Metrics (Prometheus)'],
  ['/debug/probe-run?name=derpmap-probe', 'Run a probe'],
  ['/debug/probe-all', 'Run all configured probes'],
]

export function probeRoutes(options: ProbeRoutes): Routes {
  const { prober, ports, logins, version } = options
  const allows = accessOf(options)
  const guard =
    (page: Page): Page =>
    request =>
      allows(request) ? page(request) : errorReply(403, 'debug access denied')
  const notFound = () => errorReply(404, '404 page not found')
  const process = processMetrics(ports.clock, version)
  return routesOf({
    exact: new Map<string, Page>([
      ['/', () => replyOf(200, HTML, statusText(options), PAGE_HEADERS)],
      ['/derpprobe.js', () => replyOf(200, 'text/javascript; charset=utf-8', REFRESH_SCRIPT, PAGE_HEADERS)],
      ['/healthz', () => replyOf(200, TEXT, 'ok\n')],
      ['/probe', guard(targetPage(ports, logins))],
      ['/debug/', guard(() => replyOf(200, HTML, indexHtml(version), PAGE_HEADERS))],
      ['/debug/varz', guard(async () => replyOf(200, EXPOSITION, probeMetrics(prober.probes) + (await process())))],
      ['/debug/probe-run', guard(probeRunPage(prober))],
      ['/debug/probe-all', guard(probeAllPage(prober))],
    ]),
    fallback: notFound,
    debugFallback: guard(notFound),
    allowsDebug: allows,
  })
}

function accessOf({ access }: ProbeRoutes): (request: HttpRequest) => boolean {
  const originOf = originReader()
  const byRule = debugAccess(access, originOf)
  return request => {
    if (byRule(request)) return true
    const origin = originOf(request)
    return origin.isCertain && access.ranges?.includes(clientAddress(origin) ?? '') === true
  }
}

function statusText({ prober, derp, ports, version }: ProbeRoutes): string {
  const infos = prober.infos()
  return statusHtml({ matrix: matrixOf(derp.map ?? {}, infos), infos, version, nowMs: ports.clock.wallNow() })
}

function indexHtml(version: string): string {
  const items = [
    `<li><b>Version:</b> ${escapeHtml(version)}</li>`,
    `<li><b>Machine:</b> ${escapeHtml(hostname())}</li>`,
    ...LINKS.map(([path, title]) => `<li><a href="${escapeHtml(path)}">${escapeHtml(path)}</a> (${title})</li>`),
  ]
  return htmlPage('derpprobe debug', `<ul>\n${items.join('\n')}\n</ul>`)
}
