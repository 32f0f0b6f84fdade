/** Loads a DERP map in any format from any source. */

import { formatMapPath, type LintIssue } from '../../derpmap/lint/issue.ts'
import { type ParseDerpMapOptions, parseDerpMap } from '../../derpmap/parse.ts'
import type { DERPMap } from '../../derpmap/types.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { type MapDocument, readMapDocument } from './map-document.ts'
import { type MapSourceIo, readMapSource } from './map-source.ts'

export interface LoadedMap {
  readonly map: DERPMap
  readonly document: MapDocument
}

/** @throws DerpError with source, place and reason. */
export async function loadMap(source: string, io: MapSourceIo): Promise<LoadedMap> {
  return parseLoadedMap(source, await readMapSource(source, io))
}

/** Reads the text of a map, in any format. @throws DerpError with source, place and reason. */
export function parseLoadedMap(source: string, text: string, options: ParseDerpMapOptions = {}): LoadedMap {
  const document = readMapDocument(text)
  const fault = document.issues.find(({ severity }) => severity === 'error')
  if (fault !== undefined) throw unreadable(source, fault)
  return { map: parseDerpMap(document.value, options), document }
}

function unreadable(source: string, { path, message, fix }: LintIssue): DerpError {
  const place = path.length === 0 ? '' : `${formatMapPath(path)}: `
  return new DerpError('ERR_DERP_MAP_INVALID', `read DERP map ${source}: ${place}${message}; ${fix}`)
}
