/** Counts requests over TLS by version (P-196). */

import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { HttpCounters } from '../../metrics/http-counters.ts'

const LABELS: Readonly<Record<string, string>> = {
  TLSv1: '1.0',
  'TLSv1.1': '1.1',
  'TLSv1.2': '1.2',
  'TLSv1.3': '1.3',
}

/**
 * Counts a request over `socket`, if that is TLS.
 *
 * @param lifetime emits `close` when the request has ended: its response, or the socket once upgraded.
 */
export function countTlsRequest(counters: HttpCounters, socket: Socket, lifetime: EventEmitter): void {
  if (!(socket instanceof TLSSocket)) return
  const end = counters.beginTlsRequest(LABELS[socket.getProtocol() ?? ''] ?? 'unknown')
  // A socket closes once: what `once` wraps a listener in would stay as long as the connection.
  if (lifetime === socket) socket.on('close', end)
  else lifetime.once('close', end)
}
