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

  static async create(name = 'test authority'): Promise<TestCa> {
    const keys = await createKeys()
    const authority = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      keys,
      signingAlgorithm: SIGNING,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    })
    return new TestCa(authority, keys)
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
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: SIGNING,
      extensions: [
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ...(request.issuerUrl === undefined ? [] : [issuerAt(request.issuerUrl)]),
      ],
    })
    return {
      certificate: `${certificate.toString('pem')}\n`,
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
