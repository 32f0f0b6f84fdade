/**
 * Why a connection could not be made or secured, in words, and how to fix it: one table for clients and servers. Pure.
 *
 * Platforms name causes by codes: those of the system (`ECONNREFUSED`), of certificate checks
 * (`DEPTH_ZERO_SELF_SIGNED_CERT`) and of OpenSSL, or Bun's BoringSSL (`ERR_SSL_…`).
 */

import { DerpError } from './derp-error.ts'

/** A known cause. */
export interface ConnectionFault {
  readonly id: ConnectionFaultId
  /** What is wrong, without a final stop. */
  readonly sentence: string
  /** What to do about it, without a final stop. */
  readonly fix: string
}

export type ConnectionFaultId =
  | 'not-tls'
  | 'http-to-tls'
  | 'tls-version'
  | 'tls-cipher'
  | 'tls-protocol'
  | 'server-name'
  | 'tls-refused'
  | 'tls-timeout'
  | 'self-signed'
  | 'untrusted'
  | 'unverified'
  | 'bad-chain'
  | 'revoked'
  | 'peer-untrusted'
  | 'expired'
  | 'not-yet-valid'
  | 'wrong-name'
  | 'no-name'
  | 'weak-key'
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'reset'
  | 'no-host'
  | 'dns-failed'
  | 'no-descriptors'
  | 'no-ports'
  | 'denied'
  | 'no-socket'

const WORDS: Readonly<Record<ConnectionFaultId, readonly [sentence: string, fix: string]>> = {
  'not-tls': ['the port does not speak TLS', 'use http:// for a server without TLS, or the port that serves TLS'],
  'http-to-tls': ['plain HTTP was sent to a port that speaks TLS', 'use https://'],
  'tls-version': ['no TLS version in common', 'both sides need TLS 1.2 or 1.3'],
  'tls-cipher': ['no TLS cipher in common', 'allow a standard cipher of TLS 1.3 on both sides'],
  'tls-protocol': ['no application protocol (ALPN) in common', 'offer http/1.1'],
  'server-name': [
    'the server has no certificate for the requested name',
    'use the name in the certificate, not an address or another name',
  ],
  'tls-refused': [
    'the other side refused the TLS handshake',
    'check its log: it may have no certificate yet, or none for the requested name',
  ],
  'tls-timeout': ['the TLS handshake took too long', 'check the network, and whether the other side is overloaded'],
  'self-signed': [
    'the certificate is self-signed',
    'pin it in the DERP map (CertName "sha256-raw:…", --pin, option pin), trust it (NODE_EXTRA_CA_CERTS), or use one from an authority',
  ],
  untrusted: [
    'the certificate comes from an authority that is not trusted',
    'have the server send its whole chain (fullchain.pem), or trust that authority (NODE_EXTRA_CA_CERTS, --ca, option tlsConfig)',
  ],
  // All that Bun reports for a self-signed certificate.
  unverified: [
    'no trusted authority has signed the certificate',
    'pin it if it is self-signed (CertName "sha256-raw:…", --pin, option pin); otherwise have the server send its whole chain (fullchain.pem), or trust its authority (NODE_EXTRA_CA_CERTS, --ca, option tlsConfig)',
  ],
  'bad-chain': ['the certificate chain is not valid', 'reissue the certificate, and send it with its full chain'],
  revoked: ['the certificate was revoked', 'use another one'],
  'peer-untrusted': [
    'the other side does not trust the certificate',
    'have it trust the authority, or use a certificate from a public one',
  ],
  expired: ['the certificate has expired', 'renew it, and check that the server loads the new one'],
  'not-yet-valid': ['the certificate is not valid yet', 'check the clocks of both machines'],
  'wrong-name': ['the certificate is for another name', 'connect by a name that it lists, or issue it for this one'],
  'no-name': [
    'the certificate lists no name: a common name (CN) alone does not count',
    'issue it with the host as subjectAltName',
  ],
  'weak-key': ['the key of the certificate is too short', 'issue it for an EC key, or RSA of 2048 bits or more'],
  refused: ['nothing listens there', 'check host and port, and that the server is running'],
  unreachable: ['there is no route to the host', 'check the address, and the network and its firewall'],
  timeout: ['the host does not answer', 'check the address, and firewalls on the path'],
  reset: ['the connection was reset', 'a firewall or proxy may be in the way, or the server was restarted'],
  'no-host': [
    'DNS knows no such host',
    'check the spelling of the name, its DNS records, and the DNS server of this machine',
  ],
  'dns-failed': ['DNS did not answer', 'check the DNS server of this machine'],
  'no-descriptors': ['this process has no file descriptors left', 'raise its limit (ulimit -n, LimitNOFILE)'],
  'no-ports': ['this machine has no free local port or address', 'wait, or widen net.ipv4.ip_local_port_range'],
  'no-socket': ['there is no such socket', 'check its path, and that its service is running'],
  denied: ['this machine does not allow the connection', 'check its firewall and the rights of the process'],
}

const CODES: Readonly<Record<string, ConnectionFaultId>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-tls',
  ERR_SSL_BAD_RECORD_TYPE: 'not-tls',
  ERR_SSL_HTTP_REQUEST: 'http-to-tls',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'http-to-tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls-version',
  ERR_SSL_VERSION_TOO_LOW: 'tls-version',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'tls-version',
  ERR_SSL_NO_SHARED_CIPHER: 'tls-cipher',
  ERR_SSL_NO_SHARED_GROUP: 'tls-cipher',
  ERR_SSL_WRONG_CURVE: 'tls-cipher',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'tls-protocol',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'tls-protocol',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'server-name',
  ERR_SSL_NO_CERTIFICATE_SET: 'server-name',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'server-name',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'tls-timeout',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'tls-refused',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': 'tls-refused',
  ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR: 'tls-refused',
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: 'tls-refused',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'peer-untrusted',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'peer-untrusted',
  'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE': 'peer-untrusted',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'peer-untrusted',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN': 'peer-untrusted',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'expired',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED': 'expired',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
  HOSTNAME_MISMATCH: 'wrong-name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unverified',
  CERT_UNTRUSTED: 'untrusted',
  CERT_REJECTED: 'untrusted',
  CERT_REVOKED: 'revoked',
  CERT_SIGNATURE_FAILURE: 'bad-chain',
  CERT_CHAIN_TOO_LONG: 'bad-chain',
  INVALID_CA: 'bad-chain',
  INVALID_PURPOSE: 'bad-chain',
  PATH_LENGTH_EXCEEDED: 'bad-chain',
  EE_KEY_TOO_SMALL: 'weak-key',
  CA_KEY_TOO_SMALL: 'weak-key',
  ERR_SSL_EE_KEY_TOO_SMALL: 'weak-key',
  ERR_SSL_CA_KEY_TOO_SMALL: 'weak-key',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ENOTFOUND: 'no-host',
  EAI_AGAIN: 'dns-failed',
  EMFILE: 'no-descriptors',
  ENFILE: 'no-descriptors',
  EADDRNOTAVAIL: 'no-ports',
  EACCES: 'denied',
  EPERM: 'denied',
  ENOENT: 'no-socket',
}

/** Other fixes for some causes. */
export type ConnectionFixes = Readonly<Partial<Record<ConnectionFaultId, string>>>

const TRUST = 'name its file in NODE_EXTRA_CA_CERTS, or add it to the CAs of the system, and restart'

/** Fixes where nothing but the CAs of the system counts: there are no pins, and no option for a CA. */
export const SYSTEM_TRUST_FIXES: ConnectionFixes = {
  'self-signed': `trust it (${TRUST}), or use one from an authority`,
  untrusted: `have the server send its whole chain (fullchain.pem), or trust the certificate of that authority (${TRUST})`,
  unverified: `have the server send its whole chain (fullchain.pem), or trust the certificate of its authority (${TRUST})`,
}

/** The texts for a cause that our own checks found. */
export function faultOf(id: ConnectionFaultId): ConnectionFault {
  const [sentence, fix] = WORDS[id]
  return { id, sentence, fix }
}

/** The cause of an error, by its code or that of an error in it; undefined if the table has none. */
export function connectionFault(error: unknown): ConnectionFault | undefined {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 8; inner = innerOf(inner), depth++) {
    const code: unknown = 'code' in inner ? inner.code : undefined
    if (typeof code === 'string' && Object.hasOwn(CODES, code)) return faultOf(CODES[code] as ConnectionFaultId)
    // Node has no code for this one.
    if (code === 'UNSPECIFIED' && /certificate key too (?:weak|small)/i.test(inner.message)) return faultOf('weak-key')
  }
  return undefined
}

/** Racing several addresses gives an error that holds the others. */
function innerOf(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : error.cause
}

/** Sentence, detail in parentheses and fix: the end of a message, after the action. */
export function explainFault({ sentence, fix }: ConnectionFault, detail?: string): string {
  return `${sentence}${detail === undefined ? '' : ` (${detail})`}: ${fix}`
}

/** What went wrong and, where that is known, what fixes it. Errors of ours speak for themselves. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof DerpError) return error.message
  // Racing several addresses gives an error that holds the others, and an abort carries its reason.
  if (error instanceof AggregateError && error.errors.length > 0) return explainError(error.errors[0])
  if (error.name === 'AbortError' && error.cause instanceof Error) return error.cause.message
  const fault = connectionFault(error)
  return fault === undefined ? error.message : explainFault(fault, shortened(error.message))
}

/** Fixes where one way of trusting a certificate counts, whatever is wrong with its chain. */
export function trustFixes(fix: string): ConnectionFixes {
  return { 'self-signed': fix, untrusted: fix, unverified: fix }
}

/** An explanation with other fixes than those of the table, also where another part made it. */
export function withFixes(explanation: string, fixes: ConnectionFixes): string {
  const others = Object.entries(fixes) as [ConnectionFaultId, string][]
  return others.reduce((text, [id, fix]) => text.replace(WORDS[id][1], () => fix), explanation)
}

/**
 * Of OpenSSL's error lines only the reason is kept. What Node advises, to trust the authorities of the system, does not
 * fix a certificate that is its own.
 */
function shortened(text: string): string {
  const reason = /^(?:[0-9A-F]+:)?error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)/i.exec(text)?.[1] ?? text.trim()
  return reason.replace(/; if the root CA is installed locally.*$/s, '')
}
