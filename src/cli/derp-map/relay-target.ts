/** Parses a relay given on the command line. Pure. */

import { hostOf, parseRelayUrl, portOf } from '../../client/dial/relay-url.ts'
import { hostInUrl } from '../../derpmap/endpoint.ts'
import { DerpError } from '../../lib/derp-error.ts'

/** Where a relay is. */
export interface RelayTarget {
  readonly host: string
  readonly port: number
}

const DERP_PATHS: ReadonlySet<string> = new Set(['/', '/derp', '/derp/'])

/**
 * Reads `relay.example`, `relay.example:8443`, `192.0.2.1`, `[2001:db8::1]:8443` or an https URL.
 *
 * @throws DerpError for anything else, and for what a DERP map cannot express: plain HTTP, another path.
 */
export function parseRelayTarget(text: string): RelayTarget {
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const url = parseRelayUrl(isUrl ? text : `https://${hostInUrl(text)}`)
  if (url.protocol === 'http:') throw invalid(text, 'clients connect over TLS only; use an https URL')
  if (!DERP_PATHS.has(url.pathname)) throw invalid(text, 'clients request /derp only, and a DERP map has no paths')
  return { host: hostOf(url), port: portOf(url) }
}

function invalid(text: string, reason: string): DerpError {
  return new DerpError('ERR_DERP_URL_INVALID', `read relay ${JSON.stringify(text)}: ${reason}`)
}
