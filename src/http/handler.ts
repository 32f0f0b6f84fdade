/** Handler for `/derp` on your own HTTP server, without other routes (P-120, P-160). */

import { CidrList } from '../listen/cidr-list.ts'
import { originReader } from '../listen/client-address.ts'
import type { HttpService } from '../listen/http-service.ts'
import { type RequestHandler, requestHandler, type UpgradeHandler, upgradeHandler } from '../listen/node/node-mount.ts'
import { HttpCounters } from '../metrics/http-counters.ts'
import { noContentPage } from './pages/generate-204.ts'
import { probePage } from './pages/probe.ts'
import { readRequestPath } from './request-path.ts'
import { isForDerp } from './routes.ts'
import { type ConnAcceptor, derpEndpoint } from './upgrade/derp-endpoint.ts'

/** Listeners for the two events of a `node:http` server. */
export interface DerpHandler {
  /** For `request`. */
  readonly request: RequestHandler
  /** For `upgrade`. */
  readonly upgrade: UpgradeHandler
}

const PROBE_PATHS: ReadonlySet<string | undefined> = new Set(['/derp/probe', '/derp/latency-check'])

/** Options of {@link handler}. */
export interface HandlerOptions {
  /** Addresses and CIDR blocks of HTTP proxies whose `X-Forwarded-For` is trusted. Default: none. */
  readonly trustedProxies?: readonly string[]
}

/**
 * Serves `relay`, such as a `RelayCore`. @throws DerpError for an invalid proxy address.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 *
 * const relay = createRelay({ privateKey })
 * const derp = handler(relay.core)
 * const server = createServer(derp.request)
 * server.on('upgrade', derp.upgrade)
 * ```
 */
export function handler(relay: ConnAcceptor, { trustedProxies }: HandlerOptions = {}): DerpHandler {
  const originOf = originReader(trustedProxies && new CidrList(trustedProxies))
  const endpoint = derpEndpoint(relay, new HttpCounters(), originOf)
  const service: HttpService = {
    answer: request =>
      PROBE_PATHS.has(readRequestPath(request.target)?.path) ? probePage(request) : endpoint(request),
  }
  // `request` does not check the path: the caller chooses where to mount it.
  return { request: requestHandler(service), upgrade: upgradeHandler(service, isForDerp, service) }
}

/**
 * Responds to a latency probe, on your own server.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 *
 * createServer((request, response) => {
 *   if (request.url === '/derp/probe') probeHandler(request, response)
 *   else response.end('my own page')
 * })
 * ```
 */
export const probeHandler: RequestHandler = requestHandler({ answer: probePage })

/**
 * Responds with 204, and to a valid challenge, on your own server: clients detect captive portals by it.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 *
 * createServer((request, response) => {
 *   if (request.url === '/generate_204') serveNoContent(request, response)
 *   else response.end('my own page')
 * })
 * ```
 */
export const serveNoContent: RequestHandler = requestHandler({ answer: noContentPage })
