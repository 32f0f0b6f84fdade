/** The mesh peers listed in `-mesh-with` (P-078). Pure. */

import { ipFamilyOf } from '../lib/address-port.ts'
import { DerpError } from '../lib/derp-error.ts'

/** A mesh peer. */
export interface MeshTarget {
  /** Its name, which its certificate must match, with its port unless that is 443. */
  readonly host: string
  readonly url: URL
  /** Name or address to dial instead. */
  readonly dialHost: string | undefined
}

const HOST_NAME = /^[\w-]+(?:\.[\w-]+)*\.?$/

/**
 * Parses comma-separated mesh peers, each `host` or `host/dialhost`.
 *
 * @throws DerpError naming the flag and the entry.
 */
export function parseMeshWith(text: string): readonly MeshTarget[] {
  return text.split(',').map(entry => parseTarget(entry.trim()))
}

function parseTarget(entry: string): MeshTarget {
  const [host = '', dialHost, ...others] = entry.split('/')
  if (others.length > 0) throw invalid(entry, 'has more than one slash')
  const url = URL.parse(`https://${host}/derp`)
  if (url === null || url.pathname !== '/derp' || `${url.search}${url.hash}${url.username}` !== '' || host === '') {
    throw invalid(entry, 'not a host')
  }
  if (dialHost === undefined || dialHost === host) return { host, url, dialHost: undefined }
  const bare = dialHost.replace(/^\[(.*)\]$/, '$1')
  if (ipFamilyOf(bare) === undefined && !HOST_NAME.test(bare)) {
    throw invalid(entry, 'expected a host name or address after the slash; a port belongs before it')
  }
  return { host, url, dialHost: bare }
}

function invalid(entry: string, reason: string): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `set flag -mesh-with to "${entry}": ${reason}`, { clause: 'P-078' })
}
