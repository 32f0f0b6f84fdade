/** A listener for monitoring: serves only metrics and health (P-172, P-173). */

import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import { createHttpListener, type HttpListener } from '../../listen/node/http-listener.ts'
import type { Readiness } from '../../status/readiness.ts'
import type { MetricReader, MetricSnapshot } from '../../status/snapshot.ts'
import { expvarJson } from '../../status/vars-expvar.ts'
import { prometheusText } from '../../status/varz-prometheus.ts'
import type { Page } from '../page.ts'
import { healthPages } from '../pages/health.ts'
import { errorReply, replyOf } from '../reply.ts'
import { routesOf } from '../routes.ts'
import { type MetricsAccess, mayReadMetrics } from './metrics-access.ts'

export interface MetricsListenerOptions {
  readonly metrics: MetricReader
  readonly readiness: Readiness
  /** Read at each request, as it may change. */
  readonly access: () => MetricsAccess
}

/** Milliseconds from a connection to its first request. */
const REQUEST_TIMEOUT_MS = 10_000
/** Media type of Prometheus's text format. */
const EXPOSITION = 'text/plain; version=0.0.4; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'

/** Creates the listener, unbound. */
export function createMetricsListener(options: MetricsListenerOptions): HttpListener {
  const notFound = () => errorReply(404, '404 page not found')
  const allows = (request: HttpRequest) => mayReadMetrics(options.access(), request)
  return createHttpListener({
    routes: routesOf({
      exact: new Map([
        ['/metrics', metricsPage(options, EXPOSITION, prometheusText)],
        ['/debug/vars', metricsPage(options, JSON_TYPE, expvarJson)],
        ...healthPages(options.readiness, allows),
      ]),
      fallback: notFound,
      debugFallback: notFound,
      allowsDebug: allows,
    }),
    acceptTimeoutMs: REQUEST_TIMEOUT_MS,
  })
}

function metricsPage(
  { access, metrics }: MetricsListenerOptions,
  contentType: string,
  format: (snapshot: MetricSnapshot) => string,
): Page {
  return request => {
    const allowed = access()
    if (!mayReadMetrics(allowed, request)) return refusal(allowed)
    return metrics().then(
      snapshot => replyOf(200, contentType, format(snapshot), { 'Cache-Control': 'no-store' }),
      (error: unknown) => errorReply(500, `read metrics: ${String(error)}`),
    )
  }
}

function refusal({ token }: MetricsAccess): HttpReply {
  if (token === undefined) return errorReply(403, 'metrics access denied')
  return errorReply(401, 'metrics access denied', { 'WWW-Authenticate': 'Bearer realm="metrics"' })
}
