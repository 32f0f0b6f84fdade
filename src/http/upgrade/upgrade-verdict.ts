/**
 * Which protocol a request for `/derp` upgrades to, or why it is refused.
 *
 * Clauses: P-120 upgrade request, P-124 no upgrade, P-150 WebSocket upgrade.
 */

import type { HttpReply, HttpRequest } from '../../listen/http-service.ts'
import { WEBSOCKET_PROTOCOL } from '../../protocol/constants.ts'
import { firstHeader, joinedHeader } from '../header.ts'
import { errorReply } from '../reply.ts'

export type UpgradeVerdict =
  | { readonly protocol: 'derp' | 'websocket' }
  | { readonly protocol: 'none'; readonly refusal: HttpReply }

/** Headers that only proxies add. */
const PROXY_HEADERS: readonly string[] = ['x-forwarded-for', 'via', 'forwarded', 'x-real-ip']

/**
 * The reply to a request without an upgrade. If it came through a proxy, names the header that the proxy dropped.
 *
 * @param isProxied whether the connection is from a trusted proxy.
 */
export function upgradeRefusal(request: HttpRequest, isProxied = false): HttpReply {
  const text = 'DERP requires connection upgrade'
  if (!isProxied && !looksProxied(request)) return errorReply(426, text)
  const lost = request.headers['upgrade'] === undefined ? 'Upgrade' : 'Connection: Upgrade'
  return errorReply(
    426,
    `${text}\nA proxy forwarded this request without the header ${lost}: configure it to forward Upgrade and Connection over HTTP/1.1`,
  )
}

/** DERP clients never use HTTP/1.0; some proxies do by default. */
function looksProxied({ version, headers }: HttpRequest): boolean {
  return version === '1.0' || PROXY_HEADERS.some(name => headers[name] !== undefined)
}

/** @param isProxied whether the connection is from a trusted proxy. */
export function judgeUpgrade(request: HttpRequest, isProxied: boolean): UpgradeVerdict {
  const upgrade = firstHeader(request, 'upgrade')?.toLowerCase()
  const wantsUpgrade = upgrade === 'derp' || upgrade === 'websocket'
  const isConnected = connectionTokens(request).includes('upgrade')
  // Very old clients send "websocket" for plain DERP; WebSocket clients also send the subprotocol.
  const isWebSocket =
    upgrade === 'websocket' && firstHeader(request, 'sec-websocket-protocol')?.includes(WEBSOCKET_PROTOCOL) === true
  if (!wantsUpgrade || (!isConnected && !isWebSocket)) {
    return { protocol: 'none', refusal: upgradeRefusal(request, isProxied) }
  }
  // The new protocol starts right after the head: a body would be read as part of it.
  if (hasBody(request)) return refuse(400, 'DERP upgrade takes no body')
  return isWebSocket ? judgeWebSocket(request, isConnected) : { protocol: 'derp' }
}

function judgeWebSocket(request: HttpRequest, isConnected: boolean): UpgradeVerdict {
  if (request.version === '1.0') return refuse(426, 'WebSocket requires HTTP/1.1')
  if (!isConnected) {
    return refuse(426, 'WebSocket requires Connection: Upgrade', { Connection: 'Upgrade', Upgrade: 'websocket' })
  }
  if (request.method !== 'GET') return refuse(405, 'WebSocket requires GET')
  if (firstHeader(request, 'sec-websocket-version') !== '13') {
    return refuse(400, 'WebSocket requires version 13', { 'Sec-WebSocket-Version': '13' })
  }
  const keys = request.headers['sec-websocket-key'] ?? []
  if (keys.length !== 1 || !/^[A-Za-z0-9+/]{22}==$/.test(keys[0] ?? '')) {
    return refuse(400, 'WebSocket requires one Sec-WebSocket-Key of 16 bytes')
  }
  return { protocol: 'websocket' }
}

function refuse(status: number, text: string, headers: Readonly<Record<string, string>> = {}): UpgradeVerdict {
  return { protocol: 'none', refusal: errorReply(status, text, headers) }
}

function hasBody({ headers }: HttpRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']?.[0] ?? 0) > 0
}

function connectionTokens(request: HttpRequest): string[] {
  return (joinedHeader(request, 'connection') ?? '').split(',').map(token => token.trim().toLowerCase())
}
