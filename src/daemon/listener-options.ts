/** What all TCP listeners of the daemon are made with, on whatever thread. */

import type { DerperSettings } from '../cli/derper/derper-settings.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { Log } from '../lib/log.ts'
import type { AcceptLimits } from '../listen/accept-limits.ts'
import type { HttpListenerOptions } from '../listen/node/http-listener.ts'
import { ProxyGate } from '../listen/node/proxy-gate.ts'
import type { Relay } from '../relay.ts'

/** Settings that the listeners go by. */
export type ListenerSettings = Pick<DerperSettings, 'limits' | 'proxies'>

/** What the listeners serve. */
export interface ServedRelay extends Pick<Relay, 'routes' | 'handleUpgrade' | 'http'> {
  readonly core: Pick<Relay['core'], 'noteFailure'>
}

export interface ListenerParts {
  readonly relay: ServedRelay
  /** What all listeners share. */
  readonly limits: AcceptLimits
  readonly log: Log
}

export function listenerOptions(
  settings: ListenerSettings,
  { relay, log, limits }: ListenerParts,
): HttpListenerOptions {
  const { trustedProxies, proxyProtocol: sendHeaders } = settings.proxies
  const { loginTimeoutMs: acceptTimeoutMs, maxHeaderBytes, tcpKeepAliveMs } = settings.limits
  return {
    routes: relay.routes,
    upgrade: relay.handleUpgrade,
    acceptTimeoutMs,
    limits,
    maxHeaderBytes,
    ...(tcpKeepAliveMs !== undefined && { tcpKeepAliveMs }),
    // Headers come on both ports, or on neither.
    proxyGate: trustedProxies && new ProxyGate({ trustedProxies, sendHeaders, counters: relay.http, log }),
    onAcceptTimeout: () =>
      relay.core.noteFailure(new DerpError('ERR_DERP_LOGIN_TIMEOUT', 'wait for request: none came'), undefined),
  }
}
