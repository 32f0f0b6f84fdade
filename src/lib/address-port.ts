/** IP addresses with ports: text in memory, 16 bytes on the wire. */

import ipaddr from 'ipaddr.js'

export type IpFamily = 4 | 6

/** The endpoint of a connection. */
export interface AddressPort {
  /** IPv4 or IPv6 address in its usual text form, never a host name. */
  readonly address: string
  /** TCP or UDP port, 0 to 65535. */
  readonly port: number
}

/** 4 or 6 if `text` is an IP address in its usual form, optionally with a zone; otherwise undefined. */
export function ipFamilyOf(text: string): IpFamily | undefined {
  // The library also accepts `127.1`, octal and hexadecimal, which never appear in connection addresses.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return 4
  return ipaddr.IPv6.isValid(text) ? 6 : undefined
}

/**
 * The 16 bytes of an address; IPv4 becomes IPv4-mapped IPv6, a zone is dropped.
 *
 * @returns sixteen zeros if `address` is not an IP address, as the original sends for a peer of unknown address (P-071).
 */
export function addressTo16(address: string): Uint8Array {
  if (ipFamilyOf(address) === undefined) return new Uint8Array(16)
  const parsed = ipaddr.parse(address)
  const v6 = parsed.kind() === 'ipv4' ? (parsed as ipaddr.IPv4).toIPv4MappedAddress() : parsed
  return Uint8Array.from(v6.toByteArray())
}

/** Address from 16 bytes; IPv4-mapped addresses become IPv4. */
export function addressFrom16(bytes: Uint8Array): string {
  const address = ipaddr.fromByteArray([...bytes]) as ipaddr.IPv6
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toRFC5952String()
}

/** `1.2.3.4:56` or `[::1]:56`. */
export function formatAddressPort({ address, port }: AddressPort): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
