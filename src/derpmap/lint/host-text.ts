/** Checks host names and addresses. Pure. */

import ipaddr from 'ipaddr.js'
import { type IpFamily, ipFamilyOf } from '../../lib/address-port.ts'
import type { Finding } from './issue.ts'
import { quote } from './read-view.ts'

const HOST_NAME = /^(?=.{1,253}\.?$)[\w]([\w-]{0,61}[\w])?(\.[\w]([\w-]{0,61}[\w])?)*\.?$/

/** What is wrong with a `HostName`; undefined for a DNS name or an IP address. */
export function hostFinding(host: string): Finding | undefined {
  if (host === '') return { message: 'HostName is empty', fix: 'use the DNS name or IP address of the relay' }
  if (ipFamilyOf(host) !== undefined || HOST_NAME.test(host)) return undefined
  const bare = bareHost(host)
  return {
    message: `HostName ${quote(host)} ${hostFault(host)}`,
    fix: bare === undefined ? 'use the DNS name or IP address of the relay' : fixFor(bare),
  }
}

function hostFault(host: string): string {
  if (/^\w+:\/\//.test(host)) return 'is a URL'
  if (/\s/.test(host)) return 'contains whitespace'
  if (host.includes('*')) return 'is a wildcard'
  if (/^\[.*\]$/.test(host)) return 'has brackets, which belong in URLs only'
  if (/[^:]:\d+$/.test(host)) return 'includes a port'
  if (host.includes('/')) return 'includes a path'
  return 'is neither a DNS name nor an IP address'
}

interface BareHost {
  readonly host: string
  readonly port: string
}

/** Host and port within a URL, brackets or spaces. */
function bareHost(text: string): BareHost | undefined {
  const trimmed = text.trim()
  const url = URL.parse(/^\w+:\/\//.test(trimmed) ? trimmed : `https://${trimmed}`)
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? ''
  if (ipFamilyOf(host) === undefined && !HOST_NAME.test(host)) return undefined
  return { host, port: url?.port ?? '' }
}

function fixFor({ host, port }: BareHost): string {
  return port === '' ? `write "${host}"` : `write "${host}" and DERPPort ${port}`
}

/** What is wrong with an `IPv4` or `IPv6`; undefined for an address of the family, `none` and nothing. */
export function addressFinding(field: 'IPv4' | 'IPv6', text: string): Finding | undefined {
  const family: IpFamily = field === 'IPv4' ? 4 : 6
  if (text === '' || text === 'none' || ipFamilyOf(text) === family) return undefined
  const other = ipFamilyOf(text)
  const message = `${field} ${quote(text)} ${addressFault(text, other)}, which disables IPv${family}`
  if (other !== undefined) return { message, fix: `move it to IPv${other}; write "none" to disable IPv${family}` }
  const bare = bareHost(text.replace(/\/\d+$/, ''))
  const address = bare !== undefined && ipFamilyOf(bare.host) === family ? bare : undefined
  const orElse = `remove ${field} to use DNS, or write "none" to disable it`
  return { message, fix: address === undefined ? orElse : fixFor(address) }
}

function addressFault(text: string, other: IpFamily | undefined): string {
  if (other !== undefined) return `is an IPv${other} address`
  if (/^\[.*\]/.test(text)) return 'has brackets'
  if (/\/\d+$/.test(text)) return 'includes a prefix length'
  if (/^[\d.]+:\d+$/.test(text)) return 'includes a port'
  return 'is not an address'
}

/** Address ranges that remote clients cannot reach, as described in messages. */
const LOCAL_RANGES: Readonly<Record<string, string>> = {
  loopback: 'is a loopback address',
  private: 'is private: only clients in the same network can reach it',
  uniqueLocal: 'is private: only clients in the same network can reach it',
  linkLocal: 'is link-local: only clients in the same network segment can reach it',
  carrierGradeNat: 'is in the range of Tailscale and CGNAT: clients need a relay to reach it in the first place',
  unspecified: 'is the unspecified address',
  multicast: 'is a multicast address',
  broadcast: 'is a broadcast address',
}

/** Why remote clients cannot reach an address; undefined for public addresses and for names. */
export function localAddressFault(text: string): string | undefined {
  if (text.toLowerCase() === 'localhost') return LOCAL_RANGES['loopback']
  return ipFamilyOf(text) === undefined ? undefined : LOCAL_RANGES[ipaddr.parse(text).range()]
}
