/**
 * What a request for `/derp` asks for, and why it may not have it.
 *
 * Clauses: P-120 upgrade request, P-124 no upgrade, P-150 WebSocket upgrade.
 */

import type { UpgradeHead } from '../../listen/upgrade-head.ts'
import { firstHeader } from '../header.ts'

/** Sub-protocol of DERP over WebSocket. */
export const WEBSOCKET_PROTOCOL = 'derp'

/** An answer in place of the upgrade. */
export interface UpgradeRefusal {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

export type UpgradeVerdict =
  | { readonly upgradeProtocol: 'derp' | 'websocket' }
  | { readonly upgradeProtocol: 'none'; readonly refusal: UpgradeRefusal }

/** Headers that only proxies write; any of them, as there is no telling which sort of proxy it was. */
const MARKS_OF_PROXIES: readonly string[] = ['x-forwarded-for', 'via', 'forwarded', 'x-real-ip']

/** The answer to whoever asks for no upgrade. Behind a proxy it says what the proxy is likely to have done. */
export function noUpgrade({ headers }: UpgradeHead): UpgradeRefusal {
  const text = 'DERP requires connection upgrade'
  if (MARKS_OF_PROXIES.every(name => headers[name] === undefined)) return { status: 426, text }
  const lost = headers.upgrade === undefined ? 'Upgrade' : 'Connection: Upgrade'
  return {
    status: 426,
    text: `${text}\nA proxy handed this request on without the header ${lost}: let it pass Upgrade and Connection, by HTTP/1.1`,
  }
}

/** Judges a request for `/derp`. */
export function judgeUpgrade(request: UpgradeHead): UpgradeVerdict {
  const upgrade = firstHeader(request, 'upgrade')?.toLowerCase()
  if (upgrade !== 'derp' && upgrade !== 'websocket') return { upgradeProtocol: 'none', refusal: noUpgrade(request) }
  // Behind the head of an upgrade come the bytes of the new protocol; a body there could only be mistaken for them.
  if (hasBody(request)) return refuse(400, 'DERP upgrade takes no body')
  // Very old clients say websocket and mean plain DERP; those that mean it name the sub-protocol.
  const asksForWebSocket = firstHeader(request, 'sec-websocket-protocol')?.includes(WEBSOCKET_PROTOCOL) ?? false
  return upgrade === 'websocket' && asksForWebSocket ? judgeWebSocket(request) : { upgradeProtocol: 'derp' }
}

function judgeWebSocket(request: UpgradeHead): UpgradeVerdict {
  if (request.httpVersionMajor === 1 && request.httpVersionMinor < 1) return refuse(426, 'WebSocket requires HTTP/1.1')
  if (!connectionTokens(request).includes('upgrade')) {
    return refuse(426, 'WebSocket requires Connection: Upgrade', { Connection: 'Upgrade', Upgrade: 'websocket' })
  }
  if (request.method !== 'GET') return refuse(405, 'WebSocket requires GET')
  if (firstHeader(request, 'sec-websocket-version') !== '13') {
    return refuse(400, 'WebSocket requires version 13', { 'Sec-WebSocket-Version': '13' })
  }
  const keys = request.headersDistinct['sec-websocket-key'] ?? []
  if (keys.length !== 1 || !/^[A-Za-z0-9+/]{22}==$/.test(keys[0] ?? '')) {
    return refuse(400, 'WebSocket requires one Sec-WebSocket-Key of 16 bytes')
  }
  return { upgradeProtocol: 'websocket' }
}

function refuse(status: number, text: string, headers: Readonly<Record<string, string>> = {}): UpgradeVerdict {
  return { upgradeProtocol: 'none', refusal: { status, text, headers } }
}

function hasBody({ headers }: UpgradeHead): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function connectionTokens(request: UpgradeHead): string[] {
  return (request.headers.connection ?? '').split(',').map(token => token.trim().toLowerCase())
}
