/** Lint rules for the map as a whole. */

import type { Finding, LintIssue, LintSeverity, MapPath } from './issue.ts'
import { quote } from './read-view.ts'
import { type MapView, type NodeView, placeOf } from './view.ts'

/** A finding and where it applies. */
interface PlacedFinding extends Finding {
  readonly path: MapPath
}

interface MapRule {
  readonly rule: string
  readonly severity: LintSeverity
  readonly check: (map: MapView) => readonly PlacedFinding[]
}

const CLIENT_RULES: readonly MapRule[] = [
  {
    rule: 'map-empty',
    severity: 'error',
    check: map => {
      // Merged into another map, one that only removes regions makes sense.
      if (map.regions.length > 0 || (map.removed.length > 0 && map.format !== 'json')) return []
      const message = 'the map has no regions: clients start, but nothing is relayed'
      return [{ path: placeOf(map, 'Regions'), message, fix: 'add a region; "derp map make" generates one' }]
    },
  },
  {
    rule: 'no-home',
    severity: 'error',
    check: ({ regions, path }) =>
      regions.length > 0 && regions.every(({ values }) => values.NoMeasureNoHome)
        ? [
            {
              path,
              message: 'all regions have NoMeasureNoHome: clients find no home region and cannot be reached',
              fix: 'remove it from at least one',
            },
          ]
        : [],
  },
  {
    rule: 'node-name-duplicate',
    severity: 'error',
    check: map =>
      repeated(
        nodesOf(map),
        ({ values }) => values.Name,
        'Name',
        name => ({
          message: `two nodes have the Name ${quote(name)}; names must be unique across all regions`,
          fix: 'use the region ID plus a letter',
        }),
      ),
  },
  {
    rule: 'node-endpoint-duplicate',
    severity: 'warning',
    check: map =>
      repeated(nodesOf(map), endpointOf, 'HostName', endpoint => ({
        message: `two nodes are the same relay, ${endpoint}; the second is no fallback`,
        fix: 'remove one',
      })),
  },
  {
    rule: 'region-code-duplicate',
    severity: 'warning',
    check: ({ regions }) => {
      const seen = new Set<string>()
      return regions.flatMap(region => {
        const { RegionCode: code } = region.values
        if (!code) return []
        const message = `two regions have the RegionCode ${quote(code)}`
        if (seen.has(code)) return [{ path: placeOf(region, 'RegionCode'), message, fix: 'use a different code' }]
        seen.add(code)
        return []
      })
    },
  },
  {
    rule: 'score',
    severity: 'warning',
    check: ({ scores, regions }) =>
      scores.flatMap(({ id, score, path }) => {
        if (score <= 0) return [{ path, message: `the score ${score} is ignored`, fix: 'use a factor greater than 0' }]
        if (regions.some(region => region.id === id)) return []
        return [{ path, message: `the score is for region ${id}, which is not in the map`, fix: 'remove it' }]
      }),
  },
]

const SOURCE_RULES: readonly MapRule[] = [
  {
    rule: 'region-null',
    severity: 'warning',
    check: ({ removed, format }) =>
      format === 'policy'
        ? []
        : removed.map(({ id, path }) =>
            format === 'yaml'
              ? {
                  path,
                  message: `null removes region ${id} in some Headscale releases only; current ones ignore it`,
                  fix: 'set derp.urls to [] and list all regions in a file of derp.paths',
                }
              : {
                  path,
                  message: `region ${id} is null, which is valid in a Tailscale policy file only`,
                  fix: 'remove it',
                },
          ),
  },
  {
    rule: 'omit-default-regions',
    severity: 'warning',
    check: map => {
      if (map.values.omitDefaultRegions !== true) return []
      const path = placeOf(map, 'omitDefaultRegions')
      if (map.format === 'yaml') {
        return [{ path, message: 'Headscale ignores omitdefaultregions', fix: 'set derp.urls to [] in config.yaml' }]
      }
      const relays = nodesOf(map).filter(({ values }) => !values.STUNOnly)
      if (relays.length !== 1) return []
      const message = 'this relay is the only one: when it is down, nothing can be relayed'
      return [{ path, message, fix: 'add a second relay, or remove omitDefaultRegions' }]
    },
  },
]

const MAP_RULES: readonly MapRule[] = [...CLIENT_RULES, ...SOURCE_RULES]

/** Issues that these rules find. */
export function mapIssues(map: MapView): LintIssue[] {
  return MAP_RULES.flatMap(({ rule, severity, check }) => check(map).map(found => ({ severity, rule, ...found })))
}

function nodesOf({ regions }: MapView): NodeView[] {
  return regions.flatMap(({ nodes }) => nodes)
}

function endpointOf({ values }: NodeView): string | undefined {
  const { HostName: host, DERPPort: port = 0, IPv4: v4 = '', IPv6: v6 = '' } = values
  return (
    host &&
    `${host} port ${port || 443}${[v4, v6]
      .filter(Boolean)
      .map(address => ` at ${address}`)
      .join('')}`
  )
}

/** One finding per node whose key an earlier node has. */
function repeated(
  nodes: readonly NodeView[],
  keyOf: (node: NodeView) => string | undefined,
  field: 'Name' | 'HostName',
  find: (key: string) => Finding,
): PlacedFinding[] {
  const seen = new Set<string>()
  return nodes.flatMap(node => {
    const key = keyOf(node)
    if (!key) return []
    if (seen.has(key)) return [{ path: placeOf(node, field), ...find(key) }]
    seen.add(key)
    return []
  })
}
