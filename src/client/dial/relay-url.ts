/** The URL of a relay (P-200). */

import type { AddressSource, DerpEndpoint } from '../../derpmap/endpoint.ts'
import { type IpFamily, ipFamilyOf } from '../../lib/address-port.ts'
import { DerpError } from '../../lib/derp-error.ts'

/** A checked copy of `input`. @throws DerpError if it is not an http or https URL. */
export function parseRelayUrl(input: string | URL): URL {
  const url = URL.parse(String(input))
  if (url === null) throw invalid(input, 'not a URL such as https://relay.example/derp')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(formatRelayUrl(url), `starts with ${url.protocol}, not http:// or https://`)
  }
  return url
}

/** The URL for logs: without user name, password and token. */
export function formatRelayUrl(url: URL): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  if (shown.searchParams.has('token')) shown.searchParams.set('token', 'hidden')
  return shown.href
}

/** The host to dial, without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
}

/** The port to dial. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

export interface UrlEndpointOptions {
  /** Name to send and to verify instead of the URL's host. */
  readonly serverName?: string | undefined
  /** SHA-256 of the only accepted certificate, in lower-case hex. */
  readonly pin?: string | undefined
}

/** The endpoint for a relay URL. */
export function endpointOfUrl(url: URL, { serverName, pin }: UrlEndpointOptions = {}): DerpEndpoint {
  const host = hostOf(url)
  const family = ipFamilyOf(host)
  const source = (wanted: IpFamily): AddressSource => {
    if (family === undefined) return { from: 'dns' }
    return family === wanted ? { from: 'map', address: host } : { from: 'nowhere' }
  }
  const name = (serverName ?? host).replace(/\.$/, '')
  return {
    host,
    port: portOf(url),
    addresses: { 4: source(4), 6: source(6) },
    url,
    serverName: name,
    certificate: pin === undefined ? { kind: 'name', name } : { kind: 'pin', sha256: pin, name },
  }
}

function invalid(input: string | URL, reason: string): DerpError {
  const shown = typeof input === 'string' ? JSON.stringify(input) : String(input)
  return new DerpError('ERR_DERP_URL_INVALID', `read relay URL ${shown}: ${reason}`, { clause: 'P-200' })
}
