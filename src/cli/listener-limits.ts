/** What the limits come to for the listeners of the daemon. */

import type { AcceptLimits } from '../http/accept-limits.ts'
import type { HttpListenerOptions } from '../http/listeners.ts'
import type { LimitSettings } from './settings/limit-settings.ts'

type LimitOptions = Pick<HttpListenerOptions, 'acceptTimeoutMs' | 'limits' | 'maxHeaderBytes' | 'tcpKeepAliveMs'>

/** @param limits what all listeners share. */
export function listenerLimits(settings: LimitSettings, limits: AcceptLimits): LimitOptions {
  const { loginTimeoutMs: acceptTimeoutMs, maxHeaderBytes, tcpKeepAliveMs } = settings
  return { acceptTimeoutMs, limits, maxHeaderBytes, ...(tcpKeepAliveMs !== undefined && { tcpKeepAliveMs }) }
}
