/** The listener for those who watch the relay: metrics and health, and nothing else (P-172, P-173). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createHttpListener, type HttpListener } from '../../listen/node/http-listener.ts'
import { expvarJson } from '../../status/expvar-json.ts'
import { prometheusText } from '../../status/prometheus.ts'
import type { Readiness } from '../../status/readiness.ts'
import type { MetricReader, MetricSnapshot } from '../../status/snapshot.ts'
import { healthRoutes } from '../pages/health.ts'
import type { HttpHandler } from '../pages/home.ts'
import { send, sendError } from '../reply.ts'
import { type MetricsAccess, mayReadMetrics } from './metrics-access.ts'

export interface MetricsListenerOptions {
  readonly metrics: MetricReader
  readonly readiness: Readiness
  /** Asked with each request, so that it can be changed. */
  readonly access: () => MetricsAccess
}

/** Milliseconds from a connection to its first request. */
const REQUEST_TIMEOUT_MS = 10_000
/** What Prometheus calls its text format. */
const EXPOSITION = 'text/plain; version=0.0.4; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'

/** Makes the listener. It does not listen yet. */
export function createMetricsListener(options: MetricsListenerOptions): HttpListener {
  const notFound: HttpHandler = (_, response) => sendError(response, 404, '404 page not found')
  const allows = (request: IncomingMessage) => mayReadMetrics(options.access(), request)
  return createHttpListener({
    routes: {
      exact: new Map([
        ['/metrics', numbersHandler(options, EXPOSITION, prometheusText)],
        ['/debug/vars', numbersHandler(options, JSON_TYPE, expvarJson)],
        ...healthRoutes(options.readiness, allows),
      ]),
      fallback: notFound,
      debugFallback: notFound,
      takesDerp: false,
      allowsDebug: allows,
    },
    // Never called: nothing here can be upgraded.
    upgrade: (_, socket) => socket.destroy(),
    acceptTimeoutMs: REQUEST_TIMEOUT_MS,
  })
}

function numbersHandler(
  { access, metrics }: MetricsListenerOptions,
  contentType: string,
  format: (numbers: MetricSnapshot) => string,
): HttpHandler {
  return (request, response) => {
    const allowed = access()
    if (!mayReadMetrics(allowed, request)) {
      refuse(response, allowed)
      return
    }
    metrics().then(
      numbers => send(response, 200, contentType, format(numbers), { 'Cache-Control': 'no-store' }),
      (error: unknown) => sendError(response, 500, `read metrics: ${String(error)}`),
    )
  }
}

function refuse(response: ServerResponse, { token }: MetricsAccess): void {
  if (token === undefined) {
    sendError(response, 403, 'metrics access denied')
    return
  }
  response.setHeader('WWW-Authenticate', 'Bearer realm="metrics"')
  sendError(response, 401, 'metrics access denied')
}
