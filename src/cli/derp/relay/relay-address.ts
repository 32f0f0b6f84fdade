/** Reads how users name a relay: host, URL, pin, region of a map. Pure. */

import { parseRelayUrl } from '../../../client/dial/relay-url.ts'
import { parsePin } from '../../../client/node/node-certificate.ts'
import { hostInUrl } from '../../../derpmap/endpoint.ts'
import { regionIds, requireRegion } from '../../../derpmap/regions.ts'
import type { DERPMap, DERPRegion } from '../../../derpmap/types.ts'
import { DerpError } from '../../../lib/derp-error.ts'

/** Reads `relay.example`, `relay.example:8443/path`, an IP address or a URL; without a path `/derp` is requested. */
export function readRelayUrl(text: string): URL {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const url = parseRelayUrl(text)
    if (url.pathname === '/') url.pathname = '/derp'
    return url
  }
  if (!/^[a-z0-9[:]/i.test(text)) throw unusable(`read relay ${JSON.stringify(text)}: neither a host nor a URL`)
  return parseRelayUrl(`https://${hostInUrl(text)}${text.includes('/') ? '' : '/derp'}`)
}

/** SHA-256 in lower-case hex. @throws DerpError for anything else. */
export function readPin(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const hash = parsePin(text)
  if (hash !== undefined) return hash
  throw unusable(`use --pin ${text}: not a SHA-256 of 64 hex digits; derp map make prints it`)
}

/** In a map, each node has its own pin. */
export function refusePinWithMap(pin: string | undefined): void {
  if (pin !== undefined) throw unusable('use --pin: with a map, CertName of the node pins its certificate')
}

/** `--region` chooses from a map. */
export function refuseRegionWithoutMap(region: string | undefined, what: string): void {
  if (region !== undefined) throw unusable(`use --region: ${what} is not a map`)
}

/** The regions with this ID or code; without it all. @throws DerpError if there are none. */
export function chosenRegions(map: DERPMap, wanted: string | undefined): DERPRegion[] {
  const regions = regionIds(map).map(id => requireRegion(map, id))
  if (wanted === undefined) return regions
  const found = regions.filter(({ RegionID, RegionCode }) => String(RegionID) === wanted || RegionCode === wanted)
  if (found.length > 0) return found
  throw unusable(`use --region ${wanted}: the map has ${codesOf(regions)}`)
}

/** The only region with this ID or code; without it, of a map with one region, that. @throws DerpError otherwise. */
export function oneRegion(map: DERPMap, wanted: string | undefined): DERPRegion {
  const regions = chosenRegions(map, wanted)
  const [first] = regions
  if (first === undefined) throw unusable('use --map: it has no regions')
  if (regions.length > 1) throw unusable(`use --map: it has ${codesOf(regions)}; choose one with --region`)
  return first
}

export function unusable(message: string): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', message)
}

const codesOf = (regions: readonly DERPRegion[]) => regions.map(({ RegionCode }) => RegionCode).join(', ')
