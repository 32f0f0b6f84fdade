/** The client named by `X-Forwarded-For`, given trusted proxies (P-125). */

import { type AddressPort, ipFamilyOf } from '../lib/address-port.ts'
import type { CidrList } from './cidr-list.ts'

/**
 * The client named by the header: the last address that is not a trusted proxy, or the first if all are.
 *
 * Every proxy appends its peer, so only the part to the right of that address was written by trusted proxies; anything to
 * the left may be forged.
 *
 * @returns undefined if a trusted proxy wrote something other than an address.
 */
export function readForwardedFor(header: string, proxies: CidrList): AddressPort | undefined {
  let client: AddressPort | undefined
  for (const entry of header.split(',').reverse()) {
    client = parseForwarded(entry.trim())
    if (client === undefined || !proxies.includes(client.address)) break
  }
  return client
}

/** An address, optionally with a port; IPv6 may be in brackets. The port is 0 if missing. */
function parseForwarded(text: string): AddressPort | undefined {
  const [, inBrackets, withPort, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = inBrackets ?? withPort ?? text
  if (ipFamilyOf(address) === undefined || Number(port ?? 0) > 65_535) return undefined
  return { address, port: Number(port ?? 0) }
}
