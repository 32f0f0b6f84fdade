/** What counts as one source of connections: an IPv4 address or an IPv6 /64. */

import { addressTo16 } from '../address-port.ts'

/** Prefix of an IPv4-mapped IPv6 address. */
const MAPPED_PREFIX = '\0\0\0\0\0\0\0\0\0\0\xff\xff'

/**
 * The source that `address` belongs to, as a short map key.
 *
 * A client with one IPv6 address has the whole /64 and can use another address for each connection.
 */
export function sourcePrefix(address: string): string {
  const key = String.fromCharCode(...addressTo16(address))
  return key.startsWith(MAPPED_PREFIX) ? key.slice(MAPPED_PREFIX.length) : key.slice(0, 8)
}
