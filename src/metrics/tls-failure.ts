/** Why TLS handshakes fail: a closed list, each with its counter. */

export const TlsFailure = {
  /** There is no certificate for the name that the client asks for, or it asks for none. */
  ServerName: 'server_name',
  /** The client offers no version of TLS that is spoken here. */
  Version: 'version',
  /** The client offers no cipher that goes with the certificate. */
  Cipher: 'cipher',
  /** The client offers other protocols only. */
  Protocol: 'protocol',
  /** What came is not TLS. */
  NotTls: 'not_tls',
  /** The client has refused, such as for a certificate that it does not trust. */
  ClientAlert: 'client_alert',
  /** The connection ended. */
  Closed: 'closed',
  Timeout: 'timeout',
  Other: 'other',
} as const
export type TlsFailure = (typeof TlsFailure)[keyof typeof TlsFailure]
