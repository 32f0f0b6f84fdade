/** Why TLS handshakes fail: a closed list, each with its counter. */

/** Why a TLS handshake failed, by the label of its metric. */
export const TlsFailure = {
  /** No certificate for the requested name, or no name requested. */
  ServerName: 'server_name',
  /** No common TLS version. */
  Version: 'version',
  /** No common cipher for the certificate. */
  Cipher: 'cipher',
  /** No common application protocol. */
  Protocol: 'protocol',
  /** The client spoke plain HTTP, and was told to use HTTPS. */
  PlainHttp: 'plain_http',
  /** The bytes are not TLS, nor plain HTTP. */
  NotTls: 'not_tls',
  /** The client sent an alert, such as for an untrusted certificate. */
  ClientAlert: 'client_alert',
  /** The connection ended. */
  Closed: 'closed',
  /** The handshake was not complete in time. */
  Timeout: 'timeout',
  /** Anything else. */
  Other: 'other',
} as const
export type TlsFailure = (typeof TlsFailure)[keyof typeof TlsFailure]
