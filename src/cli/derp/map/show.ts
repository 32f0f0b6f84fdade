/** `derp map show`: shows how clients reach the relays of a DERP map. */

import {
  type AddressSource,
  type CertificateRule,
  type DerpEndpoint,
  resolveEndpoint,
} from '../../../derpmap/endpoint.ts'
import { regionIds, requireRegion } from '../../../derpmap/regions.ts'
import type { DERPMap, DERPNode, DERPRegion } from '../../../derpmap/types.ts'
import { isDerpError } from '../../../lib/derp-error.ts'
import { STUN_PORT } from '../../../stun/constants.ts'
import { loadMap } from '../../derp-map/load-map.ts'
import { MAP_SOURCE_HELP } from '../../derp-map/map-source.ts'
import { count, textTable } from '../../text-table.ts'
import type { AddSubcommand } from '../subcommand.ts'

export const addShow: AddSubcommand = (parent, { io }) => {
  parent
    .command('show')
    .description('show how clients reach each relay, with defaults filled in')
    .argument('<source>', MAP_SOURCE_HELP)
    .action(async (source: string) => io.out(mapText((await loadMap(source, io)).map)))
}

function mapText(map: DERPMap): string {
  const regions = regionIds(map).map(id => requireRegion(map, id))
  const nodes = regions.flatMap(({ Nodes: each }) => each)
  const scope = map.omitDefaultRegions === true ? ', without the default regions' : ''
  const blocks = regions.map(region => {
    const rows = region.Nodes.map(nodeRow)
    return [regionTitle(region, map), ...textTable(rows, '  ')].join('\n')
  })
  const counts = `${count(regions.length, 'region')}, ${count(nodes.length, 'node')}${scope}`
  return `${[counts, ...blocks].join('\n\n')}\n`
}

function regionTitle({ RegionID: id, RegionCode: code, RegionName: name, ...flags }: DERPRegion, map: DERPMap): string {
  const score = map.HomeParams?.RegionScore?.[id]
  const marks = [
    flags.NoMeasureNoHome === true && 'never home',
    flags.Avoid === true && 'avoided',
    score !== undefined && `latency times ${score}`,
  ].filter(mark => mark !== false)
  return [`Region ${id}`, code && `(${code})`, name, marks.length > 0 && `[${marks.join(', ')}]`]
    .filter(Boolean)
    .join(' ')
}

function nodeRow(node: DERPNode): string[] {
  const stun = node.STUNPort === -1 ? 'no STUN' : `STUN ${node.STUNPort || STUN_PORT}`
  const endpoint = endpointOf(node)
  if (typeof endpoint === 'string') return [node.Name, endpoint]
  const { host, port, addresses, certificate } = endpoint
  return [
    node.Name,
    node.STUNOnly === true ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`,
    `IPv4 ${addressText(addresses[4])}`,
    `IPv6 ${addressText(addresses[6])}`,
    stun,
    node.STUNOnly === true ? 'STUN only' : certificateText(certificate),
    node.CanPort80 === true ? 'HTTP 80' : '',
  ]
}

function endpointOf(node: DERPNode): DerpEndpoint | string {
  try {
    return resolveEndpoint(node)
  } catch (error) {
    if (isDerpError(error)) return `unusable: ${error.message}`
    throw error
  }
}

function addressText(source: AddressSource): string {
  switch (source.from) {
    case 'map':
      return source.address
    case 'dns':
      return 'by DNS'
    case 'nowhere':
      return 'off'
  }
}

function certificateText(rule: CertificateRule): string {
  switch (rule.kind) {
    case 'name':
      return `certificate for ${rule.name}`
    case 'pin':
      return `certificate pinned ${rule.sha256.slice(0, 12)}…`
    case 'any':
      return 'any certificate'
  }
}
