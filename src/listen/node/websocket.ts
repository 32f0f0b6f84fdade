/**
 * DERP over WebSocket, for clients that cannot open plain connections.
 *
 * Clauses: P-150 upgrade, P-151 messages, P-152 size, P-153 what WebSocket lacks.
 */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type ServerOptions, WebSocketServer } from 'ws'
import { systemClock } from '../../lib/clock.ts'
import { WEBSOCKET_PROTOCOL } from '../../protocol/constants.ts'
import { addressOf } from '../../transport/node-conn.ts'
import { WebSocketConn } from '../../transport/websocket-conn.ts'
import type { HttpUpgrade } from '../http-service.ts'
import { WebSocketInput } from './websocket-input.ts'

/** Maximum bytes of a client's message; 32 KiB at the original. A longer one closes with 1009. */
export const MAX_RECEIVED_MESSAGE_BYTES: number = 256 << 10
/** Maximum fragments of a message: until the last has arrived, each may pin the 64 KiB that it was read with. */
export const MAX_FRAGMENTS = 8
/** Most chunks that a WebSocket frame may come in; at the smallest usual segment those are well over a message. */
const MAX_BUFFERED_CHUNKS = 1024
/** Milliseconds that a client has to answer a close, before the socket below is ended. */
const CLOSE_TIMEOUT_MS = 1_000
const CLOSE_POLICY_VIOLATION = 1008

const OPTIONS: ServerOptions & { readonly closeTimeout: number } = {
  noServer: true,
  clientTracking: false,
  // Packets are encrypted, so they do not compress.
  perMessageDeflate: false,
  maxPayload: MAX_RECEIVED_MESSAGE_BYTES,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_BUFFERED_CHUNKS,
  // Text messages are refused.
  skipUTF8Validation: true,
  closeTimeout: CLOSE_TIMEOUT_MS,
  handleProtocols: offered => [...offered].find(name => name.toLowerCase() === WEBSOCKET_PROTOCOL) ?? false,
}

/** It does not keep track of its connections. */
const server = new WebSocketServer(OPTIONS)

/** A socket whose request is granted a WebSocket. */
export interface WebSocketRequest {
  readonly message: IncomingMessage
  readonly socket: Socket
  /** Bytes after the request. */
  readonly head: Uint8Array
  readonly acceptedAtMs: number | undefined
}

/** Makes a WebSocket of the socket, and hands it over as a connection. */
export function acceptWebSocket({ remote, accept }: HttpUpgrade, request: WebSocketRequest): void {
  const { message, socket, head, acceptedAtMs } = request
  const local = addressOf(socket.localAddress, socket.localPort)
  server.handleUpgrade(message, socket, Buffer.from(head.buffer, head.byteOffset, head.length), webSocket => {
    if (webSocket.protocol !== WEBSOCKET_PROTOCOL) {
      webSocket.on('error', () => {})
      webSocket.close(CLOSE_POLICY_VIOLATION, `sub-protocol ${WEBSOCKET_PROTOCOL} required`)
      return
    }
    const input = new WebSocketInput(socket, systemClock)
    const conn = new WebSocketConn(webSocket, {
      remote,
      local,
      flow: input,
      // Success is reported as null, unlike in the types.
      send: (bytes, done) => webSocket.send(bytes, error => done(error ?? undefined)),
    })
    webSocket.on('message', () => input.noteMessage())
    for (const control of ['ping', 'pong'] as const) {
      webSocket.on(control, () => {
        input.noteMessage()
        conn.noteControl()
      })
    }
    accept(conn, acceptedAtMs)
  })
}
