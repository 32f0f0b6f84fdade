/**
 * The extra certificate that gives clients the relay's key one round trip early (P-140).
 *
 * It is not trusted and proves nothing; its private key is discarded.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { META_CERTIFICATE_NAME_PREFIX, PROTOCOL_VERSION } from '../protocol/constants.ts'
import { createSelfSigned } from './x509.ts'

/** Milliseconds of validity before and after now. */
const META_VALIDITY_MS = 30 * 24 * 3_600_000

/** Creates the certificate that announces `publicKey`, as PEM. */
export async function createMetaCertificate(publicKey: NodePublicKey, clock: Clock = systemClock): Promise<string> {
  const nowMs = clock.wallNow()
  const { certificate } = await createSelfSigned({
    commonName: `${META_CERTIFICATE_NAME_PREFIX}${publicKey.toHex()}`,
    keyType: 'Ed25519',
    serialHex: PROTOCOL_VERSION.toString(16).padStart(2, '0'),
    notBefore: new Date(nowMs - META_VALIDITY_MS),
    notAfter: new Date(nowMs + META_VALIDITY_MS),
  })
  return certificate
}
