/** Checks `CertName`. Pure. */

import type { Finding } from './issue.ts'
import { quote } from './read-view.ts'

const PREFIX = 'sha256-raw:'
const HASH = /^[0-9a-f]{64}$/

/** What is wrong with a `CertName`; undefined for a name or a valid pin. */
export function pinFinding(text: string): Finding | undefined {
  if (text === '') return undefined
  const hash = hashWithin(text)
  if (text === `${PREFIX}${hash}`) return undefined
  if (hash !== undefined) {
    const why = text.startsWith(PREFIX)
      ? 'clients compare it with 64 lower-case hex digits'
      : 'without the prefix clients take it for a name'
    return { message: `CertName ${quote(text)} is a hash, but ${why}`, fix: `write "${PREFIX}${hash}"` }
  }
  if (text.toLowerCase().startsWith('sha256')) {
    return {
      message: `CertName ${quote(text)} is not a SHA-256 hash of 64 hex digits`,
      fix: 'write "sha256-raw:" plus the output of: openssl x509 -in relay.crt -outform der | sha256sum',
    }
  }
  if (/[\s/:[\]*]/.test(text)) {
    return { message: `CertName ${quote(text)} is not a host name`, fix: 'write the DNS name in the certificate' }
  }
  return undefined
}

/** The hash in lower case without colons. */
function hashWithin(text: string): string | undefined {
  const bare = text
    .replace(/^sha-?256(-raw)?[:=/]?/i, '')
    .replace(/^[\s:=]+/, '')
    .replaceAll(/[:\s]/g, '')
    .toLowerCase()
  return HASH.test(bare) ? bare : undefined
}
