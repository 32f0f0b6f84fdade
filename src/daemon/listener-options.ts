/** Options of the daemon's TCP listeners, on any thread. */

import type { Routes } from '../http/routes.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { Log } from '../lib/log.ts'
import type { AcceptLimits } from '../listen/accept-limits.ts'
import type { HttpListenerOptions } from '../listen/node/http-listener.ts'
import type { HttpsListenerOptions } from '../listen/node/https-listener.ts'
import { ProxyGate } from '../listen/node/proxy-gate.ts'
import type { Relay } from '../relay.ts'
import type { ListenSettings } from './settings.ts'

/** The parts of a relay that listeners need. */
export interface ServedRelay extends Pick<Relay, 'routes' | 'http'> {
  readonly core: Pick<Relay['core'], 'noteFailure'>
}

export interface ListenerParts {
  readonly relay: ServedRelay
  /** Shared by all listeners. */
  readonly limits: AcceptLimits
  readonly log: Log
}

/** For listeners that serve all routes. */
export interface RelayListenerOptions extends HttpListenerOptions, Pick<HttpsListenerOptions, 'tlsRecordBytes'> {
  readonly routes: Routes
}

export function listenerOptions(settings: ListenSettings, { relay, log, limits }: ListenerParts): RelayListenerOptions {
  const { address: _, trustedProxies, proxyProtocol: sendHeaders, ...options } = settings
  return {
    ...options,
    routes: relay.routes,
    limits,
    // One setting for both ports.
    proxyGate: trustedProxies && new ProxyGate({ trustedProxies, sendHeaders, counters: relay.http, log }),
    onAcceptTimeout: () =>
      relay.core.noteFailure(new DerpError('ERR_DERP_LOGIN_TIMEOUT', 'wait for request: none came'), undefined),
  }
}
