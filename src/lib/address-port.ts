/** IP addresses with ports: text in memory, 16 bytes on the wire. */

/** The two families of IP addresses. */
export type IpFamily = 4 | 6

/** The endpoint of a connection. */
export interface AddressPort {
  /** IPv4 or IPv6 address in its usual text form, never a host name. */
  readonly address: string
  /** TCP or UDP port, 0 to 65535. */
  readonly port: number
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/
/** No characters that end an address in a list or in brackets. */
const ZONE = /%[^\s,[\]]+$/
/** Bytes before an IPv4 address in IPv6: ten zeros and two of 0xff. */
const MAPPED_AT = 12

/** 4 or 6 if `text` is an IP address in its usual form, a zone allowed; otherwise undefined. */
export function ipFamilyOf(text: string): IpFamily | undefined {
  if (IPV4.test(text)) return 4
  return canonicalIPv6(text) === undefined ? undefined : 6
}

/**
 * The 16 bytes of an address; IPv4 becomes IPv4-mapped IPv6, a zone is dropped.
 *
 * @returns sixteen zeros if `address` is not an IP address, as the original sends for a peer of unknown address (P-071).
 */
export function addressTo16(address: string): Uint8Array {
  const bytes = new Uint8Array(16)
  if (IPV4.test(address)) {
    bytes.fill(0xff, MAPPED_AT - 2, MAPPED_AT)
    bytes.set(address.split('.').map(Number), MAPPED_AT)
    return bytes
  }
  const [before = '', after] = canonicalIPv6(address)?.split('::') ?? []
  const [first, last] = [groupsOf(before), groupsOf(after ?? '')]
  for (const [i, group] of first.entries()) bytes.set([group >> 8, group & 0xff], 2 * i)
  for (const [i, group] of last.entries()) bytes.set([group >> 8, group & 0xff], 16 - 2 * (last.length - i))
  return bytes
}

/** Address from 16 bytes; IPv4-mapped addresses become IPv4. */
export function addressFrom16(bytes: Uint8Array): string {
  const isMapped = bytes.subarray(0, MAPPED_AT).every((byte, i) => byte === (i < MAPPED_AT - 2 ? 0 : 0xff))
  if (isMapped) return bytes.subarray(MAPPED_AT).join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number)).toString(16),
  )
  return canonicalIPv6(groups.join(':')) as string
}

/** The platform's URLs know IPv6 and its canonical form (RFC 5952); they have no zones. */
function canonicalIPv6(text: string): string | undefined {
  const address = text.replace(ZONE, '')
  if (!/^[\da-f:.]+$/i.test(address)) return undefined
  return URL.parse(`http://[${address}]`)?.hostname.slice(1, -1)
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16))
}

/** `1.2.3.4:56` or `[::1]:56`. */
export function formatAddressPort({ address, port }: AddressPort): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
