/** `derp map convert`: converts a DERP map to another format. */

import { loadMap } from '../../derp-map/load-map.ts'
import { formatDerpMap, MAP_FORMATS, parseMapFormat } from '../../derp-map/map-formats.ts'
import { MAP_SOURCE_HELP } from '../../derp-map/map-source.ts'
import type { AddSubcommand } from '../subcommand.ts'

export const addConvert: AddSubcommand = (parent, { io }) => {
  parent
    .command('convert')
    .description('convert a DERP map to another format; fills in region IDs and drops unknown fields')
    .argument('<source>', MAP_SOURCE_HELP)
    .requiredOption(`--for <${MAP_FORMATS.join('|')}>`, 'output format')
    .action(async (source: string, options: { readonly for: string }) => {
      const format = parseMapFormat(options.for)
      await io.out(formatDerpMap((await loadMap(source, io)).map, format))
    })
}
