/** `/healthz` and `/readyz`: whether the process lives, and whether it should be sent clients (P-170, P-171). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Finding, ReadinessReport, ReadinessSource } from '../../status/readiness.ts'
import { queryOf } from '../query.ts'
import { send, sendError } from '../reply.ts'
import type { HttpHandler } from './home.ts'

const NOT_CACHED: Readonly<Record<string, string>> = Object.freeze({
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
})
const TEXT = 'text/plain; charset=utf-8'

/** The two routes. @param showsReasons whether a visitor may see more than the names of what is wrong. */
export function healthRoutes(
  readiness: ReadinessSource,
  showsReasons: (request: IncomingMessage) => boolean,
): ReadonlyMap<string, HttpHandler> {
  return new Map<string, HttpHandler>([
    ['/healthz', onlyRead((_, response) => send(response, 200, TEXT, 'ok\n', NOT_CACHED))],
    ['/readyz', onlyRead((request, response) => serveReadiness(readiness, showsReasons(request), request, response))],
  ])
}

function onlyRead(serve: HttpHandler): HttpHandler {
  return (request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD') {
      serve(request, response)
      return
    }
    response.setHeader('Allow', 'GET, HEAD')
    sendError(response, 405, 'method not allowed')
  }
}

function serveReadiness(
  readiness: ReadinessSource,
  withReasons: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const report = readiness.report()
  const answer = (known: ReadinessReport) => sendReport(known, withReasons, request, response)
  if (report instanceof Promise) void report.catch(unknownReport).then(answer)
  else answer(report)
}

/** Clients should not be sent where nobody can tell whether they may be. */
function unknownReport(error: unknown): ReadinessReport {
  return { ready: false, problems: [{ name: 'readiness', reason: String(error) }], degraded: [] }
}

function sendReport(
  report: ReadinessReport,
  withReasons: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const status = report.ready ? 200 : 503
  if (queryOf(request).get('format') === 'json') {
    send(response, status, 'application/json; charset=utf-8', jsonOf(report, withReasons), NOT_CACHED)
  } else send(response, status, TEXT, textOf(report, withReasons), NOT_CACHED)
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
