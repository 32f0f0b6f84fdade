/** Creates certificates, and loads the library for them. It is large and rarely needed, so only on demand and only here. */

import { createHash, KeyObject, type webcrypto } from 'node:crypto'
import type * as peculiarX509 from '@peculiar/x509'

/** Key types: Ed25519 signatures are short, P-256 works with every client. */
export type CertificateKeyType = 'Ed25519' | 'P-256'

export interface SelfSignedRequest {
  readonly commonName: string
  readonly keyType: CertificateKeyType
  /** Positive; hexadecimal, without a sign. */
  readonly serialHex: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** IP address of the server that the certificate is for; without one it serves no purpose of its own. */
  readonly serverIp?: string
  /** Instead of `serverIp`: the response to an authority that validates over TLS (RFC 8737). */
  readonly acmeResponse?: AcmeTlsResponse
}

export interface AcmeTlsResponse {
  readonly type: 'dns' | 'ip'
  readonly identifier: string
  readonly keyAuthorization: string
}

/** A certificate and its key, both PEM. */
export interface CertificatePair {
  readonly certificate: string
  readonly key: string
}

export type X509 = typeof peculiarX509

const ALGORITHMS = {
  Ed25519: { keys: { name: 'Ed25519' }, signing: { name: 'Ed25519' } },
  'P-256': { keys: { name: 'ECDSA', namedCurve: 'P-256' }, signing: { name: 'ECDSA', hash: 'SHA-256' } },
} as const

/** Creates a key and a self-signed, non-CA certificate for it. */
export async function createSelfSigned(request: SelfSignedRequest): Promise<CertificatePair> {
  const x509 = await loadX509()
  const algorithm = ALGORITHMS[request.keyType]
  const keys = (await crypto.subtle.generateKey(algorithm.keys, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: request.serialHex,
    name: [{ CN: [request.commonName] }],
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    keys,
    signingAlgorithm: algorithm.signing,
    extensions: extensionsOf(x509, request),
  })
  const format = request.keyType === 'P-256' ? 'sec1' : 'pkcs8'
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: KeyObject.from(keys.privateKey).export({ type: format, format: 'pem' }).toString(),
  }
}

type Extensions = InstanceType<X509['Extension']>[]

function extensionsOf(x509: X509, { serverIp, acmeResponse }: SelfSignedRequest): Extensions {
  const noAuthority = new x509.BasicConstraintsExtension(false, undefined, true)
  if (acmeResponse !== undefined) return [noAuthority, ...responseExtensions(x509, acmeResponse)]
  if (serverIp === undefined) return [noAuthority]
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags
  return [
    new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    noAuthority,
    new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: serverIp }]),
  ]
}

/** id-pe-acmeIdentifier. */
const ACME_IDENTIFIER_OID = '1.3.6.1.5.5.7.1.31'
/** What an octet string of 32 bytes begins with in DER. */
const OCTETS_32 = [0x04, 0x20]

function responseExtensions(x509: X509, { type, identifier, keyAuthorization }: AcmeTlsResponse): Extensions {
  const digest = createHash('sha256').update(keyAuthorization).digest()
  return [
    // BoringSSL, and so Bun, signs handshakes with such certificates only.
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.SubjectAlternativeNameExtension([{ type, value: identifier }]),
    new x509.Extension(ACME_IDENTIFIER_OID, true, Uint8Array.from([...OCTETS_32, ...digest]).buffer),
  ]
}

/** Loads the library. */
export async function loadX509(): Promise<X509> {
  // The library's container expects this at load time and does not bundle it.
  await import('reflect-metadata')
  return import('@peculiar/x509')
}
