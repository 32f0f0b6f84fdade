/** Checks of PEM files that flags name. */

import { createPrivateKey, X509Certificate } from 'node:crypto'

/** @throws Error saying what is expected. */
export function assertCertificate(text: string): void {
  try {
    new X509Certificate(text)
  } catch (error) {
    throw new Error('no certificate found; it must be PEM', { cause: error })
  }
}

/** @throws Error saying what is expected. */
export function assertPrivateKey(text: string): void {
  try {
    createPrivateKey(text)
  } catch (error) {
    throw new Error('no private key found; it must be PEM, without a passphrase', { cause: error })
  }
}
