/** A certificate authority for one test. */

import 'reflect-metadata'
import { KeyObject, type webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { CertificatePair } from '../../src/tls/x509.ts'

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const
const DAY_MS = 24 * 3_600_000

/** Contents of a certificate. */
export interface IssueRequest {
  readonly dns?: readonly string[]
  readonly ips?: readonly string[]
  readonly commonName?: string
  /** Default: a day before and after now. */
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Where the authority's own certificate is said to be had; authorities of the public say so. */
  readonly issuerUrl?: string
  /** Bits of an RSA key. Default: an EC key. */
  readonly rsaBits?: number
  /** URL of the list of revoked certificates. */
  readonly crl?: string | undefined
  /** URL of the OCSP server. */
  readonly ocsp?: string | undefined
  /** Serial number in hex. Default: a random one. */
  readonly serial?: string
  /** Says which key signed it, as all authorities but those of tests do. */
  readonly withAuthorityKey?: boolean
  /** Puts the authority's certificate behind it. */
  readonly withIssuer?: boolean
  /** For one who signs what an OCSP server says. */
  readonly signsOcsp?: boolean
}

export class TestCa {
  /** PEM to trust. */
  readonly certificate: string
  readonly #authority: x509.X509Certificate
  readonly #keys: webcrypto.CryptoKeyPair

  private constructor(authority: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.certificate = authority.toString('pem')
    this.#authority = authority
    this.#keys = keys
  }

  /** @param days for which it is valid from now on. */
  static async create(name = 'test authority', days = 1): Promise<TestCa> {
    const keys = await createKeys()
    const authority = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + days * DAY_MS),
      keys,
      signingAlgorithm: SIGNING,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return new TestCa(authority, keys)
  }

  /** A list of revoked certificates by their serial numbers, DER. */
  async revocationList(
    serials: readonly string[],
    { nextUpdate = new Date(Date.now() + DAY_MS) }: { readonly nextUpdate?: Date } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#authority.subject,
      thisUpdate: new Date(),
      nextUpdate,
      entries: serials.map(serialNumber => ({
        serialNumber,
        revocationDate: new Date(),
        reason: x509.X509CrlReason.keyCompromise,
      })),
      signingAlgorithm: SIGNING,
      signingKey: this.#keys.privateKey,
    })
    return new Uint8Array(list.rawData)
  }

  /** Private key, PEM. */
  get key(): string {
    return KeyObject.from(this.#keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
  }

  async #otherExtensions({
    crl,
    ocsp,
    withAuthorityKey = false,
    signsOcsp = false,
  }: IssueRequest): Promise<x509.Extension[]> {
    return [
      ...(crl === undefined ? [] : [new x509.CRLDistributionPointsExtension([crl])]),
      ...(ocsp === undefined ? [] : [new x509.AuthorityInfoAccessExtension({ ocsp })]),
      ...(signsOcsp ? [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.ocspSigning])] : []),
      ...(withAuthorityKey ? [await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey)] : []),
    ]
  }

  /** Issues a server's certificate. */
  async issue(request: IssueRequest): Promise<CertificatePair> {
    const keys = await createKeys(request.rsaBits)
    const names: x509.JsonGeneralName[] = [
      ...(request.dns ?? []).map(value => ({ type: 'dns', value }) as const),
      ...(request.ips ?? []).map(value => ({ type: 'ip', value }) as const),
    ]
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${request.commonName ?? 'test server'}`,
      issuer: this.#authority.subject,
      notBefore: request.notBefore ?? new Date(Date.now() - DAY_MS),
      notAfter: request.notAfter ?? new Date(Date.now() + DAY_MS),
      ...(request.serial !== undefined && { serialNumber: request.serial }),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: SIGNING,
      extensions: [
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ...(request.issuerUrl === undefined ? [] : [issuerAt(request.issuerUrl)]),
        ...(await this.#otherExtensions(request)),
      ],
    })
    return {
      certificate: `${certificate.toString('pem')}\n${request.withIssuer ? `${this.certificate}\n` : ''}`,
      key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
    }
  }
}

function issuerAt(url: string): x509.Extension {
  return new x509.AuthorityInfoAccessExtension({ caIssuers: [new x509.GeneralName('url', url)] })
}

async function createKeys(rsaBits?: number): Promise<webcrypto.CryptoKeyPair> {
  const algorithm =
    rsaBits === undefined
      ? KEYS
      : {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          modulusLength: rsaBits,
          publicExponent: new Uint8Array([1, 0, 1]),
        }
  return (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
}
