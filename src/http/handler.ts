/** The handler to be mounted at `/derp` of a server of one's own, without routes or debug pages (P-120, P-160). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CidrList } from '../listen/cidr-list.ts'
import { originReader } from '../listen/client-address.ts'
import { HttpCounters } from '../metrics/http-counters.ts'
import { probeHandler } from './pages/probe.ts'
import { readRequestPath } from './request-path.ts'
import { type ConnAcceptor, createUpgrade, upgradeRequired } from './upgrade/upgrade.ts'

/** What to register for the two events of a `node:http` server. */
export interface DerpHandler {
  /** For `request`. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => void
  /** For `upgrade`. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Uint8Array) => void
}

const PROBE_PATHS: ReadonlySet<string | undefined> = new Set(['/derp/probe', '/derp/latency-check'])

export interface HandlerOptions {
  /** Addresses and CIDR blocks of HTTP proxies whose `X-Forwarded-For` is believed (P-125). Default: none. */
  readonly trustedProxies?: readonly string[]
}

/** Serves `relay`, such as a `RelayCore`. @throws DerpError for an address that is none. */
export function handler(relay: ConnAcceptor, { trustedProxies }: HandlerOptions = {}): DerpHandler {
  const originOf = originReader(trustedProxies && new CidrList(trustedProxies))
  const upgrade = createUpgrade(relay, new HttpCounters(), originOf)
  return {
    request(request, response) {
      const path = readRequestPath(request.url ?? '/')?.path
      if (PROBE_PATHS.has(path)) probeHandler(request, response)
      else upgradeRequired(request, response)
    },
    // Sockets of node:http are sockets; the type of its event is wider.
    upgrade: (request, socket, head) => upgrade(request, socket as Socket, head),
  }
}
