/** Loads a DERP map in any format from any source. */

import { formatMapPath, type LintIssue } from '../../derpmap/lint/issue.ts'
import { parseDerpMap } from '../../derpmap/parse.ts'
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
  const document = readMapDocument(await readMapSource(source, io))
  const fault = document.issues.find(({ severity }) => severity === 'error')
  if (fault !== undefined) throw unreadable(source, fault)
  return { map: parseDerpMap(document.value), document }
}

function unreadable(source: string, { path, message, mend }: LintIssue): DerpError {
  const place = path.length === 0 ? '' : `${formatMapPath(path)}: `
  return new DerpError('ERR_DERP_MAP_INVALID', `read DERP map ${source}: ${place}${message}; ${mend}`)
}
