/** The handler to be mounted at `/derp` of a server of one's own, without routes or debug pages (P-120, P-160). */

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

/** What to register for the two events of a `node:http` server. */
export interface DerpHandler {
  /** For `request`. */
  readonly request: RequestHandler
  /** For `upgrade`. */
  readonly upgrade: UpgradeHandler
}

const PROBE_PATHS: ReadonlySet<string | undefined> = new Set(['/derp/probe', '/derp/latency-check'])

export interface HandlerOptions {
  /** Addresses and CIDR blocks of HTTP proxies whose `X-Forwarded-For` is believed (P-125). Default: none. */
  readonly trustedProxies?: readonly string[]
}

/** Serves `relay`, such as a `RelayCore`. @throws DerpError for an address that is none. */
export function handler(relay: ConnAcceptor, { trustedProxies }: HandlerOptions = {}): DerpHandler {
  const originOf = originReader(trustedProxies && new CidrList(trustedProxies))
  const endpoint = derpEndpoint(relay, new HttpCounters(), originOf)
  const service: HttpService = {
    answer: request =>
      PROBE_PATHS.has(readRequestPath(request.target)?.path) ? probePage(request) : endpoint(request),
  }
  // A program that calls it for another path has chosen that path.
  return { request: requestHandler(service), upgrade: upgradeHandler(service, isForDerp, service) }
}

/** Answers a latency probe, in a server of one's own (P-160). */
export const probeHandler: RequestHandler = requestHandler({ answer: probePage })

/** Answers 204 and the challenge, if there is an acceptable one, in a server of one's own (P-161). */
export const serveNoContent: RequestHandler = requestHandler({ answer: noContentPage })
