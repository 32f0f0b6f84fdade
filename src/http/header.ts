/** Request headers that may come more than once. */

import type { UpgradeHead } from '../listen/upgrade-head.ts'

/** The first header of a name, as the original reads them; `node:http` would join all of them. */
export function firstHeader(request: UpgradeHead, name: string): string | undefined {
  return request.headersDistinct[name.toLowerCase()]?.[0]
}

/** The token of `Authorization: Bearer` (P-040). */
export function bearerToken(request: UpgradeHead): string | undefined {
  return /^bearer +(\S+) *$/i.exec(firstHeader(request, 'authorization') ?? '')?.[1]
}
