/** WebSocket clients of a relay: the platform's as DERP connections, and those of `ws` for single messages. */

import { WebSocket as WsWebSocket } from 'ws'
import type { NodePublicKey } from '../../src/keys/node-key.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import { WebSocketConn } from '../../src/transport/websocket-conn.ts'
import { type LoginOptions, RawClient } from './raw-client.ts'
import { until } from './settle.ts'

/** Bytes of the ServerKey frame. */
export const GREETING_LENGTH = 45

/** An open platform WebSocket with subprotocol `derp`. */
export async function openWebSocket(url: string): Promise<WebSocketConn> {
  const socket = new WebSocket(url, 'derp')
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true })
    socket.addEventListener('error', () => reject(new Error(`open WebSocket ${url}: failed`)), { once: true })
  })
  if (socket.protocol !== 'derp') throw new Error(`open WebSocket ${url}: sub-protocol is "${socket.protocol}"`)
  return new WebSocketConn(socket)
}

/** A `ws` WebSocket that records messages. */
export class MessageClient {
  readonly socket: WsWebSocket
  readonly messages: Uint8Array[] = []
  readonly pongs: string[] = []
  /** Resolves to code and reason. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>

  constructor(url: string, options: ConstructorParameters<typeof WsWebSocket>[2] = {}, protocols: string[] = ['derp']) {
    this.socket = new WsWebSocket(url, protocols, options)
    this.socket.on('message', data => this.messages.push(data as Buffer))
    this.socket.on('pong', data => this.pongs.push(data.toString()))
    this.socket.on('error', () => {})
    this.closed = new Promise(resolve =>
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    )
  }

  /** All bytes received. */
  get bytes(): Buffer {
    return Buffer.concat(this.messages)
  }

  async opened(): Promise<this> {
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject))
    return this
  }

  /** Logs in with single messages after the greeting; resolves at ServerInfo. */
  async login(options: LoginOptions = {}): Promise<NodePublicKey> {
    const { hello, publicKey } = await this.hello(options)
    const before = this.messages.length
    this.socket.send(hello)
    await until(() => this.messages.length > before, 'ServerInfo has arrived')
    return publicKey
  }

  /** ClientInfo for the received greeting. */
  async hello(options: LoginOptions = {}): Promise<{ hello: Uint8Array; publicKey: NodePublicKey }> {
    await until(() => this.bytes.length >= GREETING_LENGTH, 'the greeting has arrived')
    const [conn] = memoryConnPair()
    const login = new RawClient(conn)
    login.onData(this.bytes)
    await login.greeting()
    const hello = await login.hello(options)
    return { hello, publicKey: login.publicKey }
  }
}
