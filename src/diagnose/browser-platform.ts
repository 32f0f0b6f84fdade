/** The platform for browsers: WebSocket, and HTTP as far as CORS allows. */

import { WebSocketTransport, type WebSocketTransportOptions } from '../client/browser/websocket-transport.ts'
import { portableAgreement } from '../keys/portable-box.ts'
import { WebPrivateKey } from '../keys/web-key.ts'
import { systemClock } from '../lib/clock.ts'
import type { Platform } from './platform.ts'

/** @param options of its WebSockets */
export function browserPlatform(options: WebSocketTransportOptions = {}): Platform {
  const { clock = systemClock } = options
  const transport = new WebSocketTransport({ ...options, clock })
  return {
    name: 'a browser',
    clock,
    agreement: portableAgreement,
    generateKey: () => WebPrivateKey.generate(),
    openWebSocket: async (url, signal) => (await transport.dial({ target: { url }, signal })).conn,
    fetchStatus: async (url, signal) => (await fetch(url, { signal, cache: 'no-store' })).status,
  }
}
