/** The URL that names a relay (P-200). */

import { DerpError } from '../lib/derp-error.ts'

/** A copy of `input`, checked. @throws DerpError when it is no URL or neither http nor https. */
export function parseRelayUrl(input: string | URL): URL {
  const url = URL.parse(String(input))
  if (url === null) throw invalid(String(input), 'not a URL')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(formatRelayUrl(url), `scheme ${url.protocol.slice(0, -1)} is neither http nor https`)
  }
  return url
}

/** The URL as it may be logged: without user name and password. */
export function formatRelayUrl(url: URL): string {
  if (url.username === '' && url.password === '') return url.href
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
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

function invalid(text: string, reason: string): DerpError {
  return new DerpError('ERR_DERP_URL_INVALID', `read relay URL ${JSON.stringify(text)}: ${reason}`, { clause: 'P-200' })
}
