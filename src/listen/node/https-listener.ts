/** The HTTPS listener: the HTTP one behind TLS, with one deadline for both (P-035, P-140–P-142). */

import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { type Log, silentLog } from '../../lib/log.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import type { RelayTls } from '../../tls/relay-tls.ts'
import { handshakeFailure } from './handshake-failure.ts'
import { type HttpListener, type HttpListenerOptions, httpServerOptions, listenerOf } from './http-listener.ts'
import { countTlsRequest } from './tls-request-counter.ts'

export interface HttpsListenerOptions extends HttpListenerOptions {
  readonly tls: RelayTls
  readonly counters: HttpCounters
  readonly log?: Log
}

/** What the type of the platform leaves out: the name that the client has asked for. */
type NamedTlsSocket = TLSSocket & { readonly servername?: string | false | null }

/** An HTTPS listener for `options`. */
export function createHttpsListener(options: HttpsListenerOptions): HttpListener {
  const { tls, counters, log = silentLog } = options
  const server = createServer({ ...httpServerOptions(options), ...tls.serverOptions() })
  tls.attach(server)
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: NamedTlsSocket) => {
    counters.failTlsHandshake(handshakeFailure(error))
    const serverName = socket.servername || undefined
    // Scanners and clients with another name do this all day.
    const remote = options.proxyGate?.sourceOf(socket)?.address ?? socket.remoteAddress
    log.debug('TLS handshake failed', { remote, serverName, reason: error.code ?? error.message })
  })
  return listenerOf(server, options, {
    isSecure: true,
    accepted: () => counters.tlsAccepted++,
    refused: () => counters.tlsRejected++,
    request: (socket, lifetime) => countTlsRequest(counters, socket, lifetime),
  })
}
