/** One attempt to obtain a certificate: for all identifiers, otherwise for those that could be validated (P-148). */

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { AcmeChallenges } from '../challenges.ts'
import type { CertificatePair } from '../x509.ts'
import { type AcmeAccount, type AcmeChallengeType, createAcmeKey, orderCertificate } from './acme.ts'
import { AcmeError } from './acme-error.ts'

/** What to order. */
export interface AcmeWish {
  /** A DNS name, or IP addresses. */
  readonly identifiers: readonly string[]
  /** Identifiers without which the certificate is useless; others may fail. */
  readonly required: readonly string[]
  readonly account: Omit<AcmeAccount, 'key'>
  readonly profile?: string | undefined
  readonly challenges: AcmeChallenges
}

export interface AcmeAttempt extends AcmeWish {
  readonly accountKey: string
  readonly challengeType: AcmeChallengeType
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly log: Log
}

/** Rejects with an {@link AcmeError} if no usable certificate is obtained. */
export async function obtainCertificate(attempt: AcmeAttempt): Promise<CertificatePair> {
  const { identifiers, required, log } = attempt
  try {
    return await orderFor(attempt, identifiers)
  } catch (error) {
    const rejected = error instanceof AcmeError ? error.rejected : []
    const others = identifiers.filter(identifier => !rejected.includes(identifier))
    const isEnough = others.length > 0 && required.every(identifier => others.includes(identifier))
    if (rejected.length === 0 || !isEnough) throw error
    log.warn('certificate will lack some addresses', { rejected, reason: (error as Error).message })
    return orderFor(attempt, others)
  }
}

async function orderFor(attempt: AcmeAttempt, identifiers: readonly string[]): Promise<CertificatePair> {
  const key = createAcmeKey()
  const account = { ...attempt.account, key: attempt.accountKey }
  const certificate = await orderCertificate({ ...attempt, account, identifiers, key })
  try {
    assertCovers({ certificate, key }, identifiers)
  } catch (error) {
    throw new AcmeError(`use what the authority has issued: ${(error as Error).message}`, { cause: error })
  }
  return { certificate, key }
}

/** @throws Error if the key does not match the certificate, or an identifier is missing from it. */
export function assertCovers({ certificate, key }: CertificatePair, identifiers: readonly string[]): void {
  const parsed = new X509Certificate(certificate)
  if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('the key does not match the certificate')
  for (const identifier of identifiers) {
    const covers = isIP(identifier) === 0 ? parsed.checkHost(identifier) : parsed.checkIP(identifier)
    if (covers !== undefined) continue
    throw new Error(`certificate is not for ${identifier} but for ${parsed.subjectAltName ?? 'nobody'}`)
  }
}
