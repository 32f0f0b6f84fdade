/**
 * DERP over WebSocket, for clients that cannot do otherwise.
 *
 * Clauses: P-150 upgrade, P-151 messages, P-152 size, P-153 what the carriage lacks.
 */

import type { IncomingMessage } from 'node:http'
import { type ServerOptions, WebSocketServer } from 'ws'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import { addressOf } from '../../transport/node-conn.ts'
import { WebSocketConn } from '../../transport/websocket-conn.ts'
import { bearerToken } from '../header.ts'
import type { ConnAcceptor, UpgradeRequest } from './upgrade.ts'
import { WEBSOCKET_PROTOCOL } from './upgrade-verdict.ts'

/** Most bytes of a client's message; the original takes 32 KiB. A longer one closes with 1009. */
const MAX_RECEIVED_MESSAGE_BYTES: number = 256 << 10
/** Most fragments of a message: each may pin the 64 KiB that it was read with until the last has come. */
const MAX_FRAGMENTS = 64
/** Most chunks that a WebSocket frame may come in; at the smallest usual segment those are well over a message. */
const MAX_BUFFERED_CHUNKS = 1024
/** Milliseconds that a client has to answer a close, before the socket below is ended. */
const CLOSE_TIMEOUT_MS = 1_000
const CLOSE_POLICY_VIOLATION = 1008

/** Makes WebSockets of upgraded sockets, which were judged before, and hands them over. */
export function createWebSocketUpgrade(
  acceptor: ConnAcceptor,
  counters: HttpCounters,
): (upgrade: UpgradeRequest) => void {
  const options: ServerOptions & { readonly closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    // What is carried is encrypted, hence without any redundancy.
    perMessageDeflate: false,
    maxPayload: MAX_RECEIVED_MESSAGE_BYTES,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
    // Text is refused, whatever it says.
    skipUTF8Validation: true,
    closeTimeout: CLOSE_TIMEOUT_MS,
    handleProtocols: offered => [...offered].find(name => name.toLowerCase() === WEBSOCKET_PROTOCOL) ?? false,
  }
  const server = new WebSocketServer(options)
  return ({ request, socket, head, acceptedAtMs, remote }) => {
    const local = addressOf(socket.localAddress, socket.localPort)
    // Requests that ask for a WebSocket are those of node:http, see upgrade-head.ts.
    const asked = request as IncomingMessage
    server.handleUpgrade(asked, socket, Buffer.from(head.buffer, head.byteOffset, head.length), webSocket => {
      if (webSocket.protocol !== WEBSOCKET_PROTOCOL) {
        webSocket.on('error', () => {})
        webSocket.close(CLOSE_POLICY_VIOLATION, `sub-protocol ${WEBSOCKET_PROTOCOL} required`)
        return
      }
      counters.websocketAccepts++
      const conn = new WebSocketConn(webSocket, {
        remote,
        local,
        // Success is reported as null, whatever the types say.
        send: (message, done) => webSocket.send(message, error => done(error ?? undefined)),
      })
      acceptor.accept(conn, { ...(acceptedAtMs !== undefined && { acceptedAtMs }), token: bearerToken(request) })
    })
  }
}
