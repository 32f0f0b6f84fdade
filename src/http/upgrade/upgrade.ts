/**
 * `/derp`: from an HTTP request to a DERP connection.
 *
 * Clauses: P-120 request, P-121 response, P-122 fast start, P-123 ideal node, P-124 no upgrade, P-150 WebSocket,
 * P-174 upgrades that come too late.
 */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { NodePublicKey } from '../../keys/node-key.ts'
import type { AddressPort } from '../../lib/address-port.ts'
import { type OriginOf, originReader } from '../../listen/client-address.ts'
import type { UpgradeHead } from '../../listen/upgrade-head.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import { FAST_START_HEADER, IDEAL_NODE_HEADER, PROTOCOL_VERSION } from '../../protocol/constants.ts'
import type { Conn } from '../../transport/conn.ts'
import { NodeConn } from '../../transport/node-conn.ts'
import { bearerToken, firstHeader } from '../header.ts'
import { sendError } from '../reply.ts'
import { judgeUpgrade, noUpgrade, type UpgradeRefusal } from './upgrade-verdict.ts'
import { createWebSocketUpgrade } from './websocket.ts'

/** What accepts connections; the relay core has this shape. */
export interface ConnAcceptor {
  readonly publicKey: NodePublicKey
  /** Takes no more connections. */
  readonly isClosed?: boolean
  accept(conn: Conn, options: UpgradedOptions): void
}

/** What the request told of a connection. */
export interface UpgradedOptions {
  readonly acceptedAtMs?: number
  readonly idealNode?: string | undefined
  readonly token?: string | undefined
}

/** A request that becomes a connection, and what came along. */
export interface UpgradeRequest {
  readonly request: UpgradeHead
  readonly socket: Socket
  readonly head: Uint8Array
  readonly acceptedAtMs: number | undefined
  /** Who asks. */
  readonly remote: AddressPort | undefined
}

/** Takes the socket of a request for `/derp` that asks for an upgrade. One for WebSocket is as `node:http` emits it. */
export type UpgradeHandler = (request: UpgradeHead, socket: Socket, head: Uint8Array, acceptedAtMs?: number) => void

/** Closing without a word would look like a refusal of this client (P-174). */
const GOING_AWAY: UpgradeRefusal = { status: 503, text: 'relay is going away' }

/** Reports whether the request can be upgraded; otherwise {@link upgradeRequired} answers it. */
export function isDerpUpgrade(request: IncomingMessage): boolean {
  return judgeUpgrade(request).upgradeProtocol !== 'none'
}

/** The handler of upgrades of either carriage; what cannot be upgraded is refused on the socket. */
export function createUpgrade(
  acceptor: ConnAcceptor,
  counters: HttpCounters,
  originOf: OriginOf = originReader(),
): UpgradeHandler {
  const webSocketUpgrade = createWebSocketUpgrade(acceptor, counters)
  return (request, socket, head, acceptedAtMs) => {
    const verdict = judgeUpgrade(request)
    if (acceptor.isClosed === true) {
      refuseUpgrade(socket, GOING_AWAY)
      return
    }
    if (verdict.upgradeProtocol === 'none') {
      refuseUpgrade(socket, verdict.refusal)
      return
    }
    const upgrade = { request, socket, head, acceptedAtMs, remote: originOf(request).client }
    if (verdict.upgradeProtocol === 'websocket') webSocketUpgrade(upgrade)
    else derpUpgrade(acceptor, upgrade)
  }
}

/** Makes a DERP connection of an upgraded socket and hands it over. */
function derpUpgrade(acceptor: ConnAcceptor, upgrade: UpgradeRequest): void {
  const { request, socket, head, acceptedAtMs, remote } = upgrade
  // Of node:http; setting it costs more than asking.
  if (socket.timeout) socket.setTimeout(0)
  socket.setNoDelay(true)
  if (firstHeader(request, FAST_START_HEADER) !== '1') {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\n' +
        'Upgrade: DERP\r\n' +
        'Connection: Upgrade\r\n' +
        `Derp-Version: ${PROTOCOL_VERSION}\r\n` +
        `Derp-Public-Key: ${acceptor.publicKey.toHex()}\r\n\r\n`,
    )
  }
  acceptor.accept(new NodeConn(socket, head, { remote }), {
    ...(acceptedAtMs !== undefined && { acceptedAtMs }),
    idealNode: firstHeader(request, IDEAL_NODE_HEADER),
    token: bearerToken(request),
  })
}

/** Answers a request for `/derp` that is no upgrade, or none that can be had. */
export function upgradeRequired(request: IncomingMessage, response: ServerResponse): void {
  const verdict = judgeUpgrade(request)
  const { status, text, headers } = verdict.upgradeProtocol === 'none' ? verdict.refusal : noUpgrade(request)
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
  sendError(response, status, text)
}

/** Answers on the socket of a request that `node:http` took for an upgrade. */
export function refuseUpgrade(socket: Duplex, { status, text, headers }: UpgradeRefusal): void {
  const fields = {
    Connection: 'close',
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(text) + 1),
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.on('error', () => {})
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}\n`, () => socket.destroy())
}
