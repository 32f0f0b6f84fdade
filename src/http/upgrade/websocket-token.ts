/** The bearer token of a WebSocket request: pages cannot set headers (P-155). */

import type { HttpRequest } from '../../listen/http-service.ts'
import { bearerToken, joinedHeader } from '../header.ts'
import { queryOf } from '../query.ts'

/** Sub-protocol that carries a token behind it, with `%` escapes for what sub-protocols cannot hold. */
const PREFIX = 'bearer.'

/** From the header, else from a sub-protocol, else from the query. */
export function webSocketToken(request: HttpRequest): string | undefined {
  return bearerToken(request) ?? offeredToken(request) ?? (queryOf(request).get('token') || undefined)
}

function offeredToken(request: HttpRequest): string | undefined {
  const offered = (joinedHeader(request, 'sec-websocket-protocol') ?? '').split(',').map(name => name.trim())
  const escaped = offered.find(name => name.startsWith(PREFIX))?.slice(PREFIX.length)
  if (escaped === undefined || escaped === '') return undefined
  try {
    return decodeURIComponent(escaped)
  } catch {
    // Not escaped by the rule: the client has sent no token.
    return undefined
  }
}
