/** Who may read the metrics where they have a listener of their own (P-173). */

import { createHash } from 'node:crypto'
import { equalConstantTime } from '../../keys/constant-time.ts'
import { CidrList } from '../../listen/cidr-list.ts'
import type { HttpRequest } from '../../listen/http-service.ts'
import { bearerToken } from '../header.ts'

/** Either of them gives access; without both, being on this machine does. */
export interface MetricsAccess {
  readonly token?: string | undefined
  readonly ranges?: CidrList | undefined
}

const THIS_MACHINE = new CidrList(['127.0.0.0/8', '::1'])

/** Reports whether a request has access. */
export function mayReadMetrics({ token, ranges }: MetricsAccess, request: HttpRequest): boolean {
  if (token !== undefined && isSame(bearerToken(request) ?? '', token)) return true
  // A forwarder is at another address than the one it forwards for.
  if (request.headers['x-forwarded-for'] !== undefined) return false
  const allowed = ranges ?? (token === undefined ? THIS_MACHINE : undefined)
  return allowed?.includes(request.remote?.address ?? '') ?? false
}

/** Takes as long whatever the two say, and however long they are. */
function isSame(given: string, wanted: string): boolean {
  return equalConstantTime(digest(given), digest(wanted))
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}
