/**
 * `/derp`: upgrades requests to relay connections.
 *
 * Clauses: P-120 upgrade request, P-121 response, P-122 fast start, P-123 ideal node.
 */

import type { NodePublicKey } from '../../keys/node-key.ts'
import { type OriginOf, originReader } from '../../listen/client-address.ts'
import type { HttpAnswer, HttpRequest } from '../../listen/http-service.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import { FAST_START_HEADER, IDEAL_NODE_HEADER, PROTOCOL_VERSION } from '../../protocol/constants.ts'
import type { AcceptOptions } from '../../server/server-login.ts'
import type { Conn } from '../../transport/conn.ts'
import { bearerToken, firstHeader } from '../header.ts'
import type { Endpoint } from '../page.ts'
import { errorReply } from '../reply.ts'
import { judgeUpgrade } from './upgrade-verdict.ts'
import { webSocketToken } from './websocket-token.ts'

/** Accepts connections; the relay core implements this. */
export interface ConnAcceptor {
  /** The key that a fast start must show. */
  readonly publicKey: NodePublicKey
  /** Accepts no more connections. */
  readonly isClosed?: boolean
  /** Takes over a connection that speaks DERP. */
  accept(conn: Conn, options: AcceptOptions): void
}

const FAST_START = FAST_START_HEADER.toLowerCase()
const IDEAL_NODE = IDEAL_NODE_HEADER.toLowerCase()

/** Upgrades requests to connections of `acceptor`, with or without WebSocket; refuses others with a reason. */
export function derpEndpoint(
  acceptor: ConnAcceptor,
  counters: HttpCounters,
  originOf: OriginOf = originReader(),
): Endpoint {
  const responseHead =
    'HTTP/1.1 101 Switching Protocols\r\n' +
    'Upgrade: DERP\r\n' +
    'Connection: Upgrade\r\n' +
    `Derp-Version: ${PROTOCOL_VERSION}\r\n` +
    `Derp-Public-Key: ${acceptor.publicKey.toHex()}\r\n\r\n`
  return (request: HttpRequest): HttpAnswer => {
    const { client: remote, isProxied } = originOf(request)
    const verdict = judgeUpgrade(request, isProxied)
    if (verdict.protocol === 'none') return verdict.refusal
    // Closing without a response would look like a refusal of this client (P-174).
    if (acceptor.isClosed === true) return errorReply(503, 'relay is going away', { Connection: 'close' })
    const isWebSocket = verdict.protocol === 'websocket'
    const details = {
      token: isWebSocket ? webSocketToken(request) : bearerToken(request),
      ...(!isWebSocket && { idealNode: firstHeader(request, IDEAL_NODE) }),
    }
    return {
      protocol: verdict.protocol,
      responseHead: firstHeader(request, FAST_START) === '1' ? '' : responseHead,
      remote,
      accept: (conn, acceptedAtMs) => {
        if (isWebSocket) counters.websocketAccepts++
        acceptor.accept(conn, { ...details, ...(acceptedAtMs !== undefined && { acceptedAtMs }) })
      },
    }
  }
}
