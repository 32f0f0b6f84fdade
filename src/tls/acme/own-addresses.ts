/** The addresses of this machine for which a certificate can be issued (P-148). */

import { BlockList, isIP } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { addressFrom16, addressTo16 } from '../../lib/address-port.ts'

/** Non-public ranges: private, shared, documentation and special networks (RFC 6890). */
const NOT_PUBLIC_IPV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const

const NOT_PUBLIC_IPV6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

/** Listen hosts that are not addresses. */
const ANY_HOSTS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::'])

const notPublic = new BlockList()
for (const [network, prefix] of NOT_PUBLIC_IPV4) notPublic.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of NOT_PUBLIC_IPV6) notPublic.addSubnet(network, prefix, 'ipv6')

const globalIpv6 = new BlockList()
globalIpv6.addSubnet('2000::', 3, 'ipv6')

/** Whether an address is reachable from the Internet, judging by its range. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !notPublic.check(address, 'ipv4')
  return isIP(address) === 6 && globalIpv6.check(address, 'ipv6') && !notPublic.check(address, 'ipv6')
}

/** The text form of an address that authorities accept (RFC 5952); IPv4-mapped ones become IPv4. */
export function canonicalAddress(address: string): string {
  return addressFrom16(addressTo16(address))
}

/**
 * The public addresses of the interfaces, without duplicates, IPv4 first.
 *
 * @param host the address that the relay listens on; undefined for all.
 */
export function publicAddresses(
  interfaces: NodeJS.Dict<readonly Pick<NetworkInterfaceInfo, 'address'>[]>,
  host: string | undefined,
): string[] {
  const own = Object.values(interfaces).flatMap(infos => (infos ?? []).map(({ address }) => canonicalAddress(address)))
  const only = host === undefined || ANY_HOSTS.has(host) || isIP(host) === 0 ? undefined : canonicalAddress(host)
  const found = new Set(own.filter(address => isPublicAddress(address) && (only === undefined || address === only)))
  return [...found].sort((a, b) => isIP(a) - isIP(b))
}
