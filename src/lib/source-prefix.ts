/** What counts as one source of connections: an IPv4 address, or an IPv6 network of 64 bits. */

import { addressTo16 } from './address-port.ts'

/** Bytes before an IPv4 address that is written as an IPv6 one. */
const MAPPED_PREFIX = '\0\0\0\0\0\0\0\0\0\0\xff\xff'

/**
 * The source that `address` is of, as a short key for maps.
 *
 * Who has one IPv6 address has the network around it, and can take another for each connection.
 */
export function sourcePrefix(address: string): string {
  const key = String.fromCharCode(...addressTo16(address))
  return key.startsWith(MAPPED_PREFIX) ? key.slice(MAPPED_PREFIX.length) : key.slice(0, 8)
}
