/** The HTTPS listener: the HTTP one behind TLS, with one deadline for both (P-035, P-140–P-142). */

import { createServer as createTcpServer } from 'node:net'
import { createServer } from 'node:tls'
import { explainError } from '../../lib/connection-fault.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import { TlsFailure } from '../../metrics/tls-failure.ts'
import type { RelayTls } from '../../tls/relay-tls.ts'
import { AuthorityHandshakes } from './authority-handshakes.ts'
import { handshakeFailure } from './handshake-failure.ts'
import { type HttpListener, type HttpListenerOptions, listenerOf, tcpOptions } from './http-listener.ts'
import { type HandshakeFailed, TlsHandshakes } from './tls-handshakes.ts'
import { countTlsRequest } from './tls-request-counter.ts'

export interface HttpsListenerOptions extends HttpListenerOptions {
  readonly tls: RelayTls
  readonly counters: HttpCounters
  readonly log?: Log
}

const PLAIN_HTTP_TEXT = 'This port speaks HTTPS: use an https:// URL.\n'
/** For people and proxies that are configured for plain HTTP: a closed connection would tell them nothing. */
const PLAIN_HTTP_REPLY = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${PLAIN_HTTP_TEXT.length}`,
  'Connection: close',
  '',
  PLAIN_HTTP_TEXT,
].join('\r\n')

/** An HTTPS listener. */
export function createHttpsListener(options: HttpsListenerOptions): HttpListener {
  const { tls, counters, log = silentLog } = options
  const secure = createServer(tls.serverOptions())
  const server = createTcpServer(tcpOptions(options))
  tls.attach(secure, server)
  const onFailed: HandshakeFailed = (error, socket, connection) => {
    const failure = handshakeFailure(error)
    counters.failTlsHandshake(failure)
    if (failure === TlsFailure.PlainHttp) connection?.raw.write(PLAIN_HTTP_REPLY)
    const serverName = socket.servername || undefined
    const remote = connection?.source?.address ?? socket.remoteAddress
    // Scanners and clients with other names cause this all day.
    log.debug('TLS handshake failed', { remote, serverName, code: error.code, reason: explainError(error) })
  }
  const handshakes = new TlsHandshakes(secure, onFailed)
  return listenerOf(
    server,
    options,
    { handshakes, authorities: new AuthorityHandshakes(tls, onFailed) },
    {
      accepted: () => counters.tlsAccepted++,
      refused: () => counters.tlsRejected++,
      request: (socket, lifetime) => countTlsRequest(counters, socket, lifetime),
    },
  )
}
