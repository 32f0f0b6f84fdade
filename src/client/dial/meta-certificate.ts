/** A relay's meta certificate: provides its key one round trip early (P-143). Pure. */

import { NodePublicKey } from '../../keys/public-key.ts'
import { META_CERTIFICATE_NAME_PREFIX } from '../../protocol/constants.ts'

/** The fields used of a certificate; those of `node:crypto` have this shape. */
export interface NamedCertificate {
  /** Distinguished name, one attribute per line, such as `CN=relay.example`. */
  readonly subject: string
  /** Hexadecimal. */
  readonly serialNumber: string
}

/** Whether this is a meta certificate, with a usable key or not: it does not count as part of a chain. */
export function isMetaCertificate({ subject }: NamedCertificate): boolean {
  return subject.split('\n').some(line => line.startsWith(`CN=${META_CERTIFICATE_NAME_PREFIX}`))
}

/** The key in the first readable meta certificate; undefined if there is none. */
export function readServerKey(certificates: readonly NamedCertificate[]): NodePublicKey | undefined {
  for (const { subject, serialNumber } of certificates) {
    const hex = META_NAME.exec(subject)?.[1]
    // The serial number is the version of the protocol; above 8 bits it is not one.
    if (hex === undefined || !/^0*[0-9a-f]{1,2}$/i.test(serialNumber)) continue
    return /^0*$/.test(hex) || /^0*$/.test(serialNumber) ? undefined : NodePublicKey.parse(hex)
  }
  return undefined
}

const META_NAME = new RegExp(`^CN=${META_CERTIFICATE_NAME_PREFIX}([0-9a-fA-F]{64})$`, 'm')
