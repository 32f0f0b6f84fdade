/** Turns the sockets of granted upgrades into DERP connections, and writes replies on the others. */

import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { NodeConn } from '../../transport/node-conn.ts'
import type { HttpReply, HttpUpgrade } from '../http-service.ts'
import { acceptWebSocket } from './websocket.ts'

/** A socket whose request asked for an upgrade. */
export interface UpgradedSocket {
  /** The request, where `node:http` has read it; always for WebSocket. */
  readonly message?: IncomingMessage
  readonly socket: Socket
  /** Bytes after the request. */
  readonly head: Uint8Array
  readonly acceptedAtMs: number | undefined
}

/** Hands the socket over as the connection that `upgrade` grants. */
export function takeSocket(upgrade: HttpUpgrade, { message, socket, head, acceptedAtMs }: UpgradedSocket): void {
  // Time-outs of node:http; setting them costs more than asking.
  if (socket.timeout) socket.setTimeout(0)
  if (upgrade.protocol === 'websocket') {
    if (message === undefined) throw new TypeError('accept WebSocket: its request was not read by node:http')
    acceptWebSocket(upgrade, { message, socket, head, acceptedAtMs })
    return
  }
  socket.setNoDelay(true)
  if (upgrade.responseHead !== '') socket.write(upgrade.responseHead)
  upgrade.accept(new NodeConn(socket, head, { remote: upgrade.remote }), acceptedAtMs)
}

/** Writes a reply as text on a socket that `node:http` does not own, and closes it. */
export function replyOnSocket(socket: Socket, { status, headers, body }: HttpReply): void {
  const text = typeof body === 'string' ? body : ''
  const fields = { Connection: 'close', ...headers, 'Content-Length': String(Buffer.byteLength(text)) }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.on('error', () => {})
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`, () => socket.destroy())
}
