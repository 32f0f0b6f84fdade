/** The HTTPS listener: the HTTP one behind TLS, with one deadline for both (P-035, P-140–P-142, P-156). */

import { createServer as createTcpServer } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { explainError } from '../../lib/connection-fault.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import { byRuntime } from '../../lib/runtime.ts'
import type { HttpCounters } from '../../metrics/http-counters.ts'
import { TlsFailure } from '../../metrics/tls-failure.ts'
import type { RelayTls } from '../../tls/relay-tls.ts'
import type { Connection } from './accepted-connection.ts'
import { AuthorityHandshakes } from './authority-handshakes.ts'
import { bunPlainHttp } from './bun-plain-http.ts'
import { handshakeFailure } from './handshake-failure.ts'
import { type HttpListener, type HttpListenerOptions, listenerOf, tcpOptions } from './http-listener.ts'
import { nodePlainHttp } from './node-plain-http.ts'
import { PLAIN_HTTP_REPLY, type PlainHttp } from './plain-http.ts'
import { type HandshakeFailed, TlsHandshakes } from './tls-handshakes.ts'
import { countTlsRequest } from './tls-request-counter.ts'

export interface HttpsListenerOptions extends HttpListenerOptions {
  readonly tls: RelayTls
  readonly counters: HttpCounters
  readonly log?: Log
  /** Maximum payload bytes of a sent TLS record, from 512 to 16,384; 0 for the maximum. Default: 4,096. */
  readonly tlsRecordBytes?: number
}

/** Small devices have buffers for no longer records. */
const TLS_RECORD_BYTES = 4_096

const PLAIN_HTTP: PlainHttp = byRuntime({ node: nodePlainHttp, bun: bunPlainHttp })
/** What OpenSSL calls it. */
const PLAIN_HTTP_CODE = 'ERR_SSL_HTTP_REQUEST'

/** @param plainHttp how this runtime detects plain HTTP. */
export function createHttpsListener(options: HttpsListenerOptions, plainHttp: PlainHttp = PLAIN_HTTP): HttpListener {
  const { tls, counters, log = silentLog, tlsRecordBytes = TLS_RECORD_BYTES } = options
  const secure = createServer(tls.serverOptions())
  // Before anything writes to the socket.
  if (tlsRecordBytes > 0) {
    secure.on('secureConnection', (socket: TLSSocket) => void socket.setMaxSendFragment(tlsRecordBytes))
  }
  const server = createTcpServer(tcpOptions(options))
  tls.attach(secure, server)
  const onFailed: HandshakeFailed = ({ error, serverName, remoteAddress, connection }) => {
    const failure = handshakeFailure(error)
    counters.failTlsHandshake(failure)
    if (failure === TlsFailure.PlainHttp && plainHttp.canReplyLate) connection?.raw.write(PLAIN_HTTP_REPLY)
    const remote = connection?.source?.address ?? remoteAddress
    // Scanners and clients with other names cause this all day.
    log.debug('TLS handshake failed', { remote, serverName, code: error.code, reason: explainError(error) })
  }
  const handshakes = new TlsHandshakes(secure, onFailed)
  const { look } = plainHttp
  const refuse = (connection: Connection) => {
    const { raw } = connection
    raw.resume().end(PLAIN_HTTP_REPLY)
    const error = Object.assign(new Error('http request'), { code: PLAIN_HTTP_CODE })
    handshakes.fail(connection, error)
  }
  return listenerOf(
    server,
    options,
    {
      handshakes,
      authorities: new AuthorityHandshakes(tls, onFailed, connection => handshakes.release(connection)),
      plainHttp: look && { look, refuse },
    },
    {
      accepted: () => counters.tlsAccepted++,
      refused: () => counters.tlsRejected++,
      request: (socket, lifetime) => countTlsRequest(counters, socket, lifetime),
    },
  )
}
