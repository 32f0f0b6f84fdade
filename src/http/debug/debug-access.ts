/** Access to `/debug/` (P-190). */

import { equalConstantTime } from '../../keys/constant-time.ts'
import { encodeUtf8 } from '../../lib/bytes.ts'
import { CidrList } from '../../listen/cidr-list.ts'
import { clientAddress, type OriginOf, originReader } from '../../listen/client-address.ts'
import type { HttpRequest } from '../../listen/http-service.ts'
import { queryOf } from '../query.ts'

/** Who may see the debug pages, besides loopback and the tailnet. */
export interface DebugAccessOptions {
  /** An additional address with access. */
  readonly allowAddress?: string | undefined
  /**
   * The secret that grants access from any address, sent as query parameter `debugkey` of a GET. Read at each request,
   * as it may change. Undefined or empty for none.
   */
  readonly readKey?: () => string | undefined
}

/** Whether a request has access. */
export type DebugAccess = (request: HttpRequest) => boolean

export function debugAccess(options: DebugAccessOptions = {}, originOf: OriginOf = originReader()): DebugAccess {
  return request => {
    if (hasKey(request, options.readKey)) return true
    // A proxy may connect from loopback; only trusted proxies are believed about the client.
    const origin = originOf(request)
    const address = clientAddress(origin)
    if (address === undefined || !origin.isCertain) return false
    return isTrustedAddress(address) || address === options.allowAddress
  }
}

const LOOPBACK = new CidrList(['127.0.0.0/8', '::1'])
const TAILSCALE = new CidrList(['100.64.0.0/10', 'fd7a:115c:a1e0::/48'])
/** Within Tailscale's range, but used by ChromeOS for virtual machines. */
const CHROME_OS = new CidrList(['100.115.92.0/23'])

/** Whether `address` is loopback or in the tailnet. */
export function isTrustedAddress(address: string): boolean {
  return LOOPBACK.includes(address) || (TAILSCALE.includes(address) && !CHROME_OS.includes(address))
}

function hasKey(request: HttpRequest, readKey: (() => string | undefined) | undefined): boolean {
  if (readKey === undefined || request.method !== 'GET') return false
  const given = queryOf(request).get('debugkey') ?? ''
  if (given === '') return false
  const wanted = readKey() ?? ''
  return wanted !== '' && equalConstantTime(encodeUtf8(given), encodeUtf8(wanted))
}
