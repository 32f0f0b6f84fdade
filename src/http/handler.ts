/** The handler to be mounted at `/derp` of a server of one's own, without routes or debug pages (P-120, P-160). */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { HttpCounters } from '../metrics/http-counters.ts'
import { probeHandler } from './probe.ts'
import { readRequestPath } from './request-path.ts'
import { type ConnAcceptor, createUpgrade, upgradeRequired } from './upgrade.ts'

/** What to register for the two events of a `node:http` server. */
export interface DerpHandler {
  /** For `request`. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => void
  /** For `upgrade`. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Uint8Array) => void
}

const PROBE_PATHS: ReadonlySet<string | undefined> = new Set(['/derp/probe', '/derp/latency-check'])

/** Serves `relay`, such as a `RelayCore`. */
export function handler(relay: ConnAcceptor): DerpHandler {
  const upgrade = createUpgrade(relay, new HttpCounters())
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
