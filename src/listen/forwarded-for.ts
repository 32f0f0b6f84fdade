/** Whom `X-Forwarded-For` names, if those who wrote it are believed (P-125). */

import { type AddressPort, ipFamilyOf } from '../lib/address-port.ts'
import type { CidrList } from './cidr-list.ts'

/**
 * The client that the header names: the last address that no trusted proxy has, or the first of all if each has.
 *
 * Every proxy appends whom it was called by, so only what stands to the right of that address was written by proxies that
 * are trusted; what stands to the left of it is anybody's word.
 *
 * @returns undefined when a trusted proxy has written what is no address.
 */
export function readForwardedFor(header: string, proxies: CidrList): AddressPort | undefined {
  let client: AddressPort | undefined
  for (const entry of header.split(',').reverse()) {
    client = parseForwarded(entry.trim())
    if (client === undefined || !proxies.includes(client.address)) break
  }
  return client
}

/** An address, alone or with a port; IPv6 may have brackets. The port is 0 if there is none. */
function parseForwarded(text: string): AddressPort | undefined {
  const [, inBrackets, withPort, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = inBrackets ?? withPort ?? text
  if (ipFamilyOf(address) === undefined || Number(port ?? 0) > 65_535) return undefined
  return { address, port: Number(port ?? 0) }
}
