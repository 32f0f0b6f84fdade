/** Classifies TLS handshake failures: the library's errors are as varied as what scanners send. */

import { type ConnectionFaultId, connectionFault } from '../../lib/connection-fault.ts'
import { TlsFailure } from '../../metrics/tls-failure.ts'

const FAILURES: Readonly<Partial<Record<ConnectionFaultId, TlsFailure>>> = {
  'server-name': TlsFailure.ServerName,
  'tls-cipher': TlsFailure.Cipher,
  'tls-version': TlsFailure.Version,
  'tls-protocol': TlsFailure.Protocol,
  'http-to-tls': TlsFailure.PlainHttp,
  'not-tls': TlsFailure.NotTls,
  'tls-timeout': TlsFailure.Timeout,
  reset: TlsFailure.Closed,
}

/** The cause of a `tlsClientError`. */
export function handshakeFailure(error: NodeJS.ErrnoException): TlsFailure {
  // Only our own certificate selection by name fails without a code.
  if (error.code === undefined) return TlsFailure.ServerName
  if (error.code.includes('_ALERT_')) return TlsFailure.ClientAlert
  const fault = connectionFault(error)
  return (fault && FAILURES[fault.id]) ?? TlsFailure.Other
}
