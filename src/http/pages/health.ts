/** `/healthz` and `/readyz`: liveness and readiness (P-170, P-171). */

import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import type { Finding, ReadinessReport, ReadinessSource } from '../../status/readiness.ts'
import type { Page } from '../page.ts'
import { queryOf } from '../query.ts'
import { errorReply, replyOf } from '../reply.ts'

const NOT_CACHED: Readonly<Record<string, string>> = Object.freeze({
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
})
const TEXT = 'text/plain; charset=utf-8'

/** The two pages by path. @param showsReasons whether a visitor may see reasons besides names of failed checks. */
export function healthPages(
  readiness: ReadinessSource,
  showsReasons: (request: HttpRequest) => boolean,
): ReadonlyMap<string, Page> {
  return new Map<string, Page>([
    ['/healthz', onlyRead(() => replyOf(200, TEXT, 'ok\n', NOT_CACHED))],
    ['/readyz', onlyRead(request => readinessReply(readiness, showsReasons(request), request))],
  ])
}

function onlyRead(page: Page): Page {
  return request => {
    if (request.method === 'GET' || request.method === 'HEAD') return page(request)
    return errorReply(405, 'method not allowed', { Allow: 'GET, HEAD' })
  }
}

function readinessReply(
  readiness: ReadinessSource,
  withReasons: boolean,
  request: HttpRequest,
): HttpReply | Promise<HttpReply> {
  const isJson = queryOf(request).get('format') === 'json'
  const replyTo = (report: ReadinessReport) => {
    const status = report.ready ? 200 : 503
    if (!isJson) return replyOf(status, TEXT, textOf(report, withReasons), NOT_CACHED)
    return replyOf(status, 'application/json; charset=utf-8', jsonOf(report, withReasons), NOT_CACHED)
  }
  const report = readiness.report()
  return report instanceof Promise ? report.catch(unknownReport).then(replyTo) : replyTo(report)
}

/** Unknown counts as not ready. */
function unknownReport(error: unknown): ReadinessReport {
  return { ready: false, problems: [{ name: 'readiness', reason: String(error) }], degraded: [] }
}

function textOf({ ready, problems, degraded }: ReadinessReport, withReasons: boolean): string {
  const line = ({ name, reason }: Finding) => (withReasons ? `${name}: ${reason}` : name)
  const lines = [
    ready ? 'ready' : 'not ready',
    ...problems.map(line),
    ...degraded.map(finding => `degraded: ${line(finding)}`),
  ]
  return `${lines.join('\n')}\n`
}

function jsonOf({ ready, problems, degraded }: ReadinessReport, withReasons: boolean): string {
  const shown = (findings: readonly Finding[]) => (withReasons ? findings : findings.map(({ name }) => ({ name })))
  return `${JSON.stringify({ ready, problems: shown(problems), degraded: shown(degraded) })}\n`
}
