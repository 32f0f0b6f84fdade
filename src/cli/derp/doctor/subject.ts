/** What `derp doctor` checks: one relay, or all relays of a map. */

import { existsSync } from 'node:fs'
import { parseRelayUrl } from '../../../client/dial/relay-url.ts'
import { formatMapPath } from '../../../derpmap/lint/issue.ts'
import { parseDerpMap } from '../../../derpmap/parse.ts'
import type { DERPMap } from '../../../derpmap/types.ts'
import { type RelayTarget, type TargetPorts, targetOfUrl, targetsOfRegion } from '../../../diagnose/target.ts'
import { DerpError } from '../../../lib/derp-error.ts'
import { type MapDocument, readMapDocument } from '../../derp-map/map-document.ts'
import { type MapSourceIo, readMapSource } from '../../derp-map/map-source.ts'
import { lintDocument } from '../map/lint.ts'
import {
  chosenRegions,
  readPin,
  readRelayUrl,
  refusePinWithMap,
  refuseRegionWithoutMap,
  unusable,
} from '../relay/relay-address.ts'

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
  refuseRegionWithoutMap(options.region, text)
  const target = targetOfUrl(readRelayUrl(text), readPin(options.pin), options.ports)
  return { relays: [{ target, others: [] }], notes: [], isFaulty: false }
}

/** Tells maps from relays by content: both have URLs, with any path. */
async function readMap(text: string, io: MapSourceIo): Promise<MapDocument | undefined> {
  const isUrl = /^https?:\/\//i.test(text)
  if (!isUrl) return isMapFile(text) ? readDocument(text, io) : undefined
  if (/^\/(?:derp\/?)?$/.test(parseRelayUrl(text).pathname)) return undefined
  const document = await readDocument(text, io).catch(() => undefined)
  return document?.value === undefined ? undefined : document
}

/** Whether it is there or not: no host has such a name. */
function isMapFile(text: string): boolean {
  return text === '-' || /^(?:file:|[./~])|\.(?:json|hujson|ya?ml)$/i.test(text) || existsSync(text)
}

async function readDocument(source: string, io: MapSourceIo): Promise<MapDocument> {
  return readMapDocument(await readMapSource(source, io))
}

function subjectOfMap(source: string, document: MapDocument, options: SubjectOptions): Subject {
  refusePinWithMap(options.pin)
  const issues = lintDocument(document)
  const errors = issues.filter(({ severity }) => severity === 'error')
  const [first] = errors
  if (document.value === undefined) {
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `read DERP map ${source}: ${first?.message}; ${first?.fix}`)
  }
  const map = readUsable(source, document.value)
  const regions = chosenRegions(map, options.region)
  const relays = regions.flatMap(region => {
    const targets = targetsOfRegion(region, options.ports)
    return targets.map(target => ({ target, others: targets.filter(other => other !== target) }))
  })
  if (relays.length === 0) throw unusable(`diagnose ${source}: the map has no relays`)
  const notes = errors.map(({ path, message, fix }) => `${source}: ${formatMapPath(path)}: ${message}; ${fix}`)
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
