/** Access to the metrics listener (P-173). */

import { createHash } from 'node:crypto'
import { equalConstantTime } from '../../keys/constant-time.ts'
import { CidrList } from '../../listen/cidr-list.ts'
import type { HttpRequest } from '../../listen/http-service.ts'
import { bearerToken } from '../header.ts'

/** Either grants access; with neither set, only loopback has it. */
export interface MetricsAccess {
  readonly token?: string | undefined
  readonly ranges?: CidrList | undefined
}

const LOOPBACK = new CidrList(['127.0.0.0/8', '::1'])

export function mayReadMetrics({ token, ranges }: MetricsAccess, request: HttpRequest): boolean {
  if (token !== undefined && isSame(bearerToken(request) ?? '', token)) return true
  // The address is the proxy's, not the client's.
  if (request.headers['x-forwarded-for'] !== undefined) return false
  const allowed = ranges ?? (token === undefined ? LOOPBACK : undefined)
  return allowed?.includes(request.remote?.address ?? '') ?? false
}

/** Constant time, for any content and length. */
function isSame(given: string, wanted: string): boolean {
  return equalConstantTime(digest(given), digest(wanted))
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}
