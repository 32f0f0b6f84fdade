/** What `derp doctor` checks: one relay, or all relays of a map. */

import { existsSync } from 'node:fs'
import { parseRelayUrl } from '../../../client/dial/relay-url.ts'
import { formatMapPath } from '../../../derpmap/lint/issue.ts'
import { parseDerpMap } from '../../../derpmap/parse.ts'
import { regionIds, requireRegion } from '../../../derpmap/regions.ts'
import type { DERPMap, DERPRegion } from '../../../derpmap/types.ts'
import { type RelayTarget, type TargetPorts, targetOfUrl, targetsOfRegion } from '../../../diagnose/target.ts'
import { ipFamilyOf } from '../../../lib/address-port.ts'
import { DerpError } from '../../../lib/derp-error.ts'
import { type MapDocument, readMapDocument } from '../../derp-map/map-document.ts'
import { type MapSourceIo, readMapSource } from '../../derp-map/map-source.ts'
import { lintDocument } from '../map/lint.ts'

export interface Subject {
  readonly relays: readonly { readonly target: RelayTarget; readonly others: readonly RelayTarget[] }[]
  /** Notes for the operator. */
  readonly notes: readonly string[]
  /** Whether the map itself has errors. */
  readonly isFaulty: boolean
}

export interface SubjectOptions {
  readonly pin: string | undefined
  readonly region: string | undefined
  readonly ports: TargetPorts
}

/** @throws DerpError for an invalid `text` or map. */
export async function readSubject(text: string, options: SubjectOptions, io: MapSourceIo): Promise<Subject> {
  const document = await readMap(text, io)
  if (document !== undefined) return subjectOfMap(text, document, options)
  if (options.region !== undefined) throw invalid(`use --region: ${text} is not a map`)
  const target = targetOfUrl(relayUrl(text), readPin(options.pin), options.ports)
  return { relays: [{ target, others: [] }], notes: [], isFaulty: false }
}

/** Tells maps from relays by content: both have URLs, with any path. */
async function readMap(text: string, io: MapSourceIo): Promise<MapDocument | undefined> {
  const isUrl = /^https?:\/\//i.test(text)
  if (!isUrl) return text === '-' || /^file:/i.test(text) || existsSync(text) ? readDocument(text, io) : undefined
  if (/^\/(?:derp\/?)?$/.test(parseRelayUrl(text).pathname)) return undefined
  const document = await readDocument(text, io).catch(() => undefined)
  return document?.value === undefined ? undefined : document
}

async function readDocument(source: string, io: MapSourceIo): Promise<MapDocument> {
  return readMapDocument(await readMapSource(source, io))
}

function relayUrl(text: string): URL {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const url = parseRelayUrl(text)
    if (url.pathname === '/') url.pathname = '/derp'
    return url
  }
  return parseRelayUrl(`https://${ipFamilyOf(text) === 6 ? `[${text}]` : text}/derp`)
}

function readPin(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const hash = text
    .replace(/^sha256-raw:/, '')
    .replaceAll(':', '')
    .toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hash)) return hash
  throw invalid(`use --pin ${text}: not a SHA-256 of 64 hex digits; derp map make prints it`)
}

function subjectOfMap(source: string, document: MapDocument, options: SubjectOptions): Subject {
  if (options.pin !== undefined) throw invalid('use --pin: with a map, CertName of the node pins its certificate')
  const issues = lintDocument(document)
  const errors = issues.filter(({ severity }) => severity === 'error')
  const [first] = errors
  if (document.value === undefined) {
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `read DERP map ${source}: ${first?.message}; ${first?.mend}`)
  }
  const map = readUsable(source, document.value)
  const regions = chosenRegions(map, options.region)
  const relays = regions.flatMap(region => {
    const targets = targetsOfRegion(region, options.ports)
    return targets.map(target => ({ target, others: targets.filter(other => other !== target) }))
  })
  if (relays.length === 0) throw invalid(`diagnose ${source}: the map has no relays`)
  const notes = errors.map(({ path, message, mend }) => `${source}: ${formatMapPath(path)}: ${message}; ${mend}`)
  return { relays, notes, isFaulty: errors.length > 0 }
}

/** Drops nodes that clients could not use; lint reports them. */
function readUsable(source: string, value: unknown): DERPMap {
  try {
    return parseDerpMap(value)
  } catch (error) {
    const { message } = error as Error
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `read DERP map ${source}: ${message}`, { cause: error })
  }
}

function chosenRegions(map: DERPMap, wanted: string | undefined): DERPRegion[] {
  const regions = regionIds(map).map(id => requireRegion(map, id))
  if (wanted === undefined) return regions
  const found = regions.filter(({ RegionID, RegionCode }) => String(RegionID) === wanted || RegionCode === wanted)
  if (found.length > 0) return found
  throw invalid(`use --region ${wanted}: the map has ${regions.map(({ RegionCode }) => RegionCode).join(', ')}`)
}

const invalid = (message: string) => new DerpError('ERR_DERP_CONFIG_INVALID', message)
