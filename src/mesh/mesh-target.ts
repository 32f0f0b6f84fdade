/** Which siblings to link to, as `-mesh-with` names them (P-078). Pure. */

import { ipFamilyOf } from '../lib/address-port.ts'
import { DerpError } from '../lib/derp-error.ts'

/** A sibling. */
export interface MeshTarget {
  /** Its name, which its certificate must have, and its port unless that is 443. */
  readonly host: string
  readonly url: URL
  /** Name or address to connect to instead of its name. */
  readonly dialHost: string | undefined
}

const HOST_NAME = /^[\w-]+(?:\.[\w-]+)*\.?$/

/**
 * Reads siblings with commas between them, each `host` or `host/dialhost`.
 *
 * @throws DerpError that names the flag and the entry.
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
    throw invalid(entry, 'behind the slash stands no host name or address; the port, if any, belongs before it')
  }
  return { host, url, dialHost: bare }
}

function invalid(entry: string, reason: string): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `set flag -mesh-with to "${entry}": ${reason}`, { clause: 'P-078' })
}
