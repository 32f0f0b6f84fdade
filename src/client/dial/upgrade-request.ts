/** The HTTP request that upgrades a connection to DERP (P-120). Pure. */

import { encodeUtf8 } from '../../lib/bytes.ts'

const USER_AGENT = 'derphttp'

/**
 * Bytes of the request.
 *
 * @param headers additional headers, such as `Ideal-Node`. @throws TypeError for a value that would break the head.
 */
export function formatUpgradeRequest(url: URL, headers: Readonly<Record<string, string>> = {}): Uint8Array {
  const lines = [`GET ${url.pathname}${url.search} HTTP/1.1`]
  const all = { Host: url.host, 'User-Agent': USER_AGENT, Connection: 'Upgrade', Upgrade: 'DERP', ...headers }
  for (const [name, value] of Object.entries(all)) {
    if (/[^\t\x20-\x7e]/.test(value))
      throw new TypeError(`set header ${name} to ${JSON.stringify(value)}: not one line`)
    lines.push(`${name}: ${value}`)
  }
  return encodeUtf8(`${lines.join('\r\n')}\r\n\r\n`)
}
