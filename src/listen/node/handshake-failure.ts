/** Classifies TLS handshake failures: the library's errors are as varied as what scanners send. */

import { TlsFailure } from '../../metrics/tls-failure.ts'

/** Those of OpenSSL, which Node has, and of BoringSSL, which Bun has. */
const BY_CODE: ReadonlyMap<string, TlsFailure> = new Map<string, TlsFailure>([
  // No signature is possible without a certificate for the name.
  ['ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM', TlsFailure.ServerName],
  ['ERR_SSL_NO_CERTIFICATE_SET', TlsFailure.ServerName],
  ['ERR_SSL_NO_SHARED_CIPHER', TlsFailure.Cipher],
  ['ERR_SSL_NO_SHARED_GROUP', TlsFailure.Cipher],
  ['ERR_SSL_WRONG_CURVE', TlsFailure.Cipher],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', TlsFailure.Version],
  ['ERR_SSL_VERSION_TOO_LOW', TlsFailure.Version],
  ['ERR_SSL_NO_APPLICATION_PROTOCOL', TlsFailure.Protocol],
  ['ERR_SSL_HTTP_REQUEST', TlsFailure.NotTls],
  ['ERR_SSL_HTTPS_PROXY_REQUEST', TlsFailure.NotTls],
  ['ERR_SSL_WRONG_VERSION_NUMBER', TlsFailure.NotTls],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', TlsFailure.Timeout],
  ['ECONNRESET', TlsFailure.Closed],
  ['EPIPE', TlsFailure.Closed],
])

/** The cause of a `tlsClientError`. */
export function handshakeFailure({ code }: NodeJS.ErrnoException): TlsFailure {
  // Only our own certificate selection by name fails without a code.
  if (code === undefined) return TlsFailure.ServerName
  if (code.includes('_ALERT_')) return TlsFailure.ClientAlert
  return BY_CODE.get(code) ?? TlsFailure.Other
}
