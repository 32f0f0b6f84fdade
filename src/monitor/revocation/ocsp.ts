/** Encodes OCSP requests and reads the responses (RFC 6960). */

import { createHash, type KeyObject, verify, X509Certificate } from 'node:crypto'
import type * as peculiarOcsp from '@peculiar/asn1-ocsp'
import type * as peculiarSchema from '@peculiar/asn1-schema'
import type * as peculiarX509 from '@peculiar/asn1-x509'
import type { PeerCertificate } from '../../client/ports.ts'
import { equalBytes } from '../../lib/bytes.ts'
import { reasonName } from './crl.ts'
import type { Statement } from './statement.ts'

const SHA1 = '1.3.14.3.2.26'

/** Hashes of the signature algorithms in use; null for those that have none apart. */
const SIGNATURE_HASHES: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
}

interface Asn1 {
  readonly ocsp: typeof peculiarOcsp
  readonly schema: typeof peculiarSchema
  readonly x509: typeof peculiarX509
}

/** The request about `leaf`, DER. */
export async function ocspRequest(leaf: PeerCertificate, issuer: X509Certificate): Promise<Uint8Array<ArrayBuffer>> {
  const asn1 = await loadAsn1()
  const { ocsp, schema } = asn1
  const requestList = [new ocsp.Request({ reqCert: certId(asn1, leaf, issuer) })]
  const tbsRequest = new ocsp.TBSRequest({ requestList })
  return new Uint8Array(schema.AsnConvert.serialize(new ocsp.OCSPRequest({ tbsRequest })))
}

/** What the response says of `leaf`. @throws Error for a response that says nothing, or is not of the issuer. */
export async function readOcspResponse(
  body: Uint8Array<ArrayBuffer>,
  leaf: PeerCertificate,
  issuer: X509Certificate,
  nowMs: number,
): Promise<Statement> {
  const asn1 = await loadAsn1()
  const { ocsp, schema } = asn1
  const { responseStatus, responseBytes } = schema.AsnConvert.parse(body, ocsp.OCSPResponse)
  if (responseBytes === undefined) throw new Error(`the server answers ${statusName(responseStatus)}`)
  const basic = schema.AsnConvert.parse(responseBytes.response, ocsp.BasicOCSPResponse)
  assertSigned(asn1, basic, issuer, nowMs)
  const { serialNumber } = certId(asn1, leaf, issuer)
  const found = basic.tbsResponseData.responses.find(({ certID }) =>
    equalBytes(new Uint8Array(certID.serialNumber), new Uint8Array(serialNumber)),
  )
  if (found === undefined) throw new Error('the response is about another certificate')
  const { certStatus, nextUpdate } = found
  if (nextUpdate !== undefined && nextUpdate.getTime() < nowMs) {
    throw new Error(`the response is out of date since ${nextUpdate.toISOString()}`)
  }
  if (certStatus.unknown !== undefined) throw new Error('the server does not know the certificate')
  const { revoked } = certStatus
  return {
    revoked: revoked && {
      atMs: revoked.revocationTime.getTime(),
      reason: reasonName(revoked.revocationReason?.reason),
    },
    nextUpdateMs: nextUpdate?.getTime(),
  }
}

/** By the hashes of the issuer that servers know it by. */
function certId({ ocsp, schema, x509 }: Asn1, leaf: PeerCertificate, issuer: X509Certificate): peculiarOcsp.CertID {
  const parse = (der: Uint8Array) => schema.AsnConvert.parse(Uint8Array.from(der), x509.Certificate).tbsCertificate
  const { subject, subjectPublicKeyInfo } = parse(issuer.raw)
  const octets = (bytes: ArrayBuffer) =>
    new schema.OctetString(Uint8Array.from(createHash('sha1').update(new Uint8Array(bytes)).digest()))
  return new ocsp.CertID({
    hashAlgorithm: new x509.AlgorithmIdentifier({ algorithm: SHA1, parameters: null }),
    issuerNameHash: octets(schema.AsnConvert.serialize(subject)),
    issuerKeyHash: octets(subjectPublicKeyInfo.subjectPublicKey),
    serialNumber: parse(leaf.raw).serialNumber,
  })
}

/** The issuer signs, or a responder with a certificate that the issuer issued for this purpose. */
function assertSigned(asn1: Asn1, basic: peculiarOcsp.BasicOCSPResponse, issuer: X509Certificate, nowMs: number): void {
  const { algorithm } = basic.signatureAlgorithm
  const hash = SIGNATURE_HASHES[algorithm]
  if (hash === undefined) throw new Error(`the response is signed by algorithm ${algorithm}, which is not supported`)
  const signed = new Uint8Array(basic.tbsResponseDataRaw ?? asn1.schema.AsnConvert.serialize(basic.tbsResponseData))
  const isBy = (key: KeyObject) => verify(hash, signed, key, new Uint8Array(basic.signature))
  const delegates = (basic.certs ?? [])
    .map(certificate => new X509Certificate(new Uint8Array(asn1.schema.AsnConvert.serialize(certificate))))
    .filter(certificate => isDelegate(certificate, issuer, asn1.ocsp.id_kp_OCSPSigning, nowMs))
  if (![issuer, ...delegates].some(({ publicKey }) => isBy(publicKey))) {
    throw new Error('the response is not signed by the issuer of the certificate')
  }
}

function isDelegate(certificate: X509Certificate, issuer: X509Certificate, purpose: string, nowMs: number): boolean {
  const { validFromDate, validToDate, keyUsage } = certificate
  const isValid = validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime()
  // Node calls the extended key usage by this name; undefined without it.
  const purposes: readonly string[] | undefined = keyUsage
  return isValid && purposes?.includes(purpose) === true && certificate.verify(issuer.publicKey)
}

function statusName(status: peculiarOcsp.OCSPResponseStatus): string {
  const names = ['success without a response', 'malformed request', 'internal error', 'try later']
  return names[status] ?? (status === 5 ? 'signature required' : 'unauthorized')
}

/** Loaded on demand: few certificates name an OCSP server. */
async function loadAsn1(): Promise<Asn1> {
  const [ocsp, schema, x509] = await Promise.all([
    import('@peculiar/asn1-ocsp'),
    import('@peculiar/asn1-schema'),
    import('@peculiar/asn1-x509'),
  ])
  return { ocsp, schema, x509 }
}
