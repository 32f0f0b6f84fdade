/** Request headers that may be repeated. */

import type { HttpRequest } from '../listen/http-service.ts'

type Headers = Pick<HttpRequest, 'headers'>

/** The first value, which is the one that the original reads. @param name in lower case. */
export function firstHeader({ headers }: Headers, name: string): string | undefined {
  return headers[name]?.[0]
}

/** All values, joined. @param name in lower case. */
export function joinedHeader({ headers }: Headers, name: string): string | undefined {
  return headers[name]?.join(', ')
}

/** The token of `Authorization: Bearer` (P-040). */
export function bearerToken(request: Headers): string | undefined {
  return /^bearer +(\S+) *$/i.exec(firstHeader(request, 'authorization') ?? '')?.[1]
}
