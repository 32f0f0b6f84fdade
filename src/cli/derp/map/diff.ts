/** `derp map diff`: shows what changes for clients between two DERP maps. */

import { type DerpMapDiff, diffDerpMaps, type NodeChange, type RegionChange } from '../../../derpmap/diff.ts'
import { formatNode } from '../../../derpmap/endpoint.ts'
import { formatRegion, requireRegion } from '../../../derpmap/regions.ts'
import type { DERPMap } from '../../../derpmap/types.ts'
import { loadMap } from '../../derp-map/load-map.ts'
import { MAP_SOURCE_HELP } from '../../derp-map/map-source.ts'
import { EXIT_FAILED } from '../../exit.ts'
import type { AddSubcommand } from '../subcommand.ts'

export const addDiff: AddSubcommand = (parent, { io, done }) => {
  parent
    .command('diff')
    .description('show what changes between two DERP maps; exits with 1 if they differ')
    .argument('<before>', MAP_SOURCE_HELP)
    .argument('<after>', MAP_SOURCE_HELP)
    .option('--json', 'print JSON')
    .action(async (beforeSource: string, afterSource: string, { json }: { readonly json?: boolean }) => {
      const { map: before } = await loadMap(beforeSource, io)
      const { map: after } = await loadMap(afterSource, io)
      const diff = diffDerpMaps(before, after)
      await io.out(json ? `${JSON.stringify(diff, undefined, 2)}\n` : diffText(diff, before, after))
      if (!diff.isEmpty) done(EXIT_FAILED)
    })
}

function diffText(diff: DerpMapDiff, before: DERPMap, after: DERPMap): string {
  if (diff.isEmpty) return 'no differences\n'
  const lines = [
    ...diff.regionsRemoved.map(id => `- ${formatRegion(requireRegion(before, id))}`),
    ...diff.regionsAdded.map(id => `+ ${formatRegion(requireRegion(after, id))}`),
    ...diff.regionsChanged.flatMap(regionLines),
    ...(diff.isHomeParamsChanged ? ['~ HomeParams'] : []),
    ...(diff.isOmitDefaultRegionsChanged ? [`~ omitDefaultRegions: ${after.omitDefaultRegions ?? false}`] : []),
  ]
  return `${lines.join('\n')}\n`
}

function regionLines(change: RegionChange): string[] {
  const { before, after, fields } = change
  return [
    `~ ${formatRegion(after)}`,
    ...fields.map(field => `    ${field}: ${shown(before[field])} → ${shown(after[field])}`),
    ...change.nodesRemoved.map(node => `  - ${formatNode(node)}`),
    ...change.nodesAdded.map(node => `  + ${formatNode(node)}`),
    ...change.nodesChanged.flatMap(nodeLines),
    ...(change.isReordered ? ['    order of nodes'] : []),
  ]
}

function nodeLines({ before, after, fields, affectsConnections }: NodeChange): string[] {
  return [
    `  ~ ${formatNode(after)}${affectsConnections ? ': clients reconnect' : ''}`,
    ...fields.map(field => `      ${field}: ${shown(before[field])} → ${shown(after[field])}`),
  ]
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value)
}
