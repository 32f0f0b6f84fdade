/** The host name or address that a relay is served under, as authorities and clients write it. */

import { isIP } from 'node:net'
import { canonicalAddress } from './own-addresses.ts'

/** In lower case and without a final dot; of an address the usual form. */
export function servedName(hostname: string): string {
  return isIP(hostname) === 0 ? hostname.toLowerCase().replace(/\.$/, '') : canonicalAddress(hostname)
}
