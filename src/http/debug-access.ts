/** Who may see `/debug/` (P-190). */

import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { equalConstantTime } from '../keys/constant-time.ts'
import { encodeUtf8 } from '../lib/bytes.ts'
import { queryOf } from './query.ts'

export interface DebugAccessOptions {
  /** One more address that has access. */
  readonly allowAddress?: string | undefined
  /**
   * The secret that gives access from anywhere, as parameter `debugkey` of a GET; asked at each use, so that it can be
   * changed. Undefined or empty: there is none.
   */
  readonly readKey?: () => string | undefined
}

/** Reports whether a request has access. */
export type DebugAccess = (request: IncomingMessage) => boolean

/** The rule for `options`. */
export function debugAccess(options: DebugAccessOptions = {}): DebugAccess {
  return request => {
    if (hasKey(request, options.readKey)) return true
    // Whoever forwards may be on loopback himself, and what he says of the origin is anybody's word.
    if ((request.headers['x-forwarded-for'] ?? '').length > 0) return false
    const address = remoteAddress(request)
    if (address === undefined) return false
    return isTrustedAddress(address) || address === options.allowAddress
  }
}

/** The address that a request comes from; IPv4 in its own form, also from dual-stack sockets. */
export function remoteAddress(request: IncomingMessage): string | undefined {
  return request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '')
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

const TAILSCALE = new BlockList()
TAILSCALE.addSubnet('100.64.0.0', 10, 'ipv4')
TAILSCALE.addSubnet('fd7a:115c:a1e0::', 48, 'ipv6')

/** Within Tailscale's range, but given to virtual machines by ChromeOS. */
const CHROME_OS = new BlockList()
CHROME_OS.addSubnet('100.115.92.0', 23, 'ipv4')

/** Reports whether `address` is this machine's own or one of the tailnet. */
export function isTrustedAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 0) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  if (LOOPBACK.check(address, family)) return true
  return TAILSCALE.check(address, family) && !CHROME_OS.check(address, family)
}

function hasKey(request: IncomingMessage, readKey: (() => string | undefined) | undefined): boolean {
  if (readKey === undefined || request.method !== 'GET') return false
  const given = queryOf(request).get('debugkey') ?? ''
  if (given === '') return false
  const wanted = readKey() ?? ''
  return wanted !== '' && equalConstantTime(encodeUtf8(given), encodeUtf8(wanted))
}
