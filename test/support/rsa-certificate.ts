/** Self-signed RSA certificates, of any size. */

import 'reflect-metadata'
import { KeyObject } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { CertificatePair } from '../../src/tls/x509.ts'

const DAY_MS = 24 * 3_600_000

/** Valid for a day before and after now. */
export async function selfSignedRsa(dnsName: string, modulusLength: number): Promise<CertificatePair> {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: Uint8Array.of(1, 0, 1),
    modulusLength,
  }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${dnsName}`,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }])],
  })
  return {
    certificate: certificate.toString('pem'),
    key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
