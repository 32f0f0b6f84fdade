import { describe, expect, test } from 'vitest'
import { parseDerpMap } from '../../derpmap/parse.ts'
import { lintDocument } from '../derp/map/lint.ts'
import { buildMap, DEFAULT_NAMING, parseRegionId } from './build-map.ts'
import { readMapDocument } from './map-document.ts'
import { formatDerpMap, MAP_FORMATS, parseMapFormat } from './map-formats.ts'

const NODES = [
  { HostName: 'relay.example', CanPort80: true },
  { HostName: '192.0.2.1', CertName: `sha256-raw:${'0a'.repeat(32)}`, DERPPort: 8443, STUNPort: -1 },
]

describe.each(MAP_FORMATS)('output for %s', format => {
  test.each([
    ['one region', buildMap(NODES, DEFAULT_NAMING)],
    ['separate regions', buildMap(NODES, { ...DEFAULT_NAMING, isSeparate: true })],
    ['no default regions', buildMap(NODES, { ...DEFAULT_NAMING, omitDefaultRegions: true })],
  ])('passes lint and reads as the same map: %s', (_name, map) => {
    const document = readMapDocument(formatDerpMap(map, format, ['a note: with a colon']))
    expect(lintDocument(document)).toEqual([])
    const { omitDefaultRegions, ...rest } = map
    const isYaml = format === 'headscale' || format === 'yaml'
    // Headscale has this switch in its configuration file.
    expect(parseDerpMap(document.value)).toEqual(isYaml || !omitDefaultRegions ? rest : map)
  })
})

test('each format has the spelling and comments that its reader expects', () => {
  const map = buildMap(NODES.slice(0, 1), { ...DEFAULT_NAMING, omitDefaultRegions: true })
  expect(formatDerpMap(map, 'headscale', ['note'])).toBe(`# Save as /etc/headscale/derp.yaml and add to config.yaml:
#
# derp:
#   urls: []    # omits Tailscale's relays
#   paths:
#     - /etc/headscale/derp.yaml
#
# note
regions:
  900:
    regionid: 900
    regioncode: custom
    regionname: Custom
    nodes:
      - name: 900a
        regionid: 900
        hostname: relay.example
        canport80: true
`)
  expect(formatDerpMap(map, 'tailscale', ['note'])).toMatch(
    /^\/\/ Copy "derpMap" into[\s\S]*\/\/ note\n\{\n {2}"derpMap": \{\n {4}"OmitDefaultRegions": true,\n/,
  )
  expect(formatDerpMap(map, 'json')).toBe(`${JSON.stringify(map, undefined, 2)}\n`)
})

test('nodes are lettered, separate regions are numbered', () => {
  const many = Array.from({ length: 28 }, (_, at) => ({ HostName: `r${at}.example` }))
  const names = buildMap(many, DEFAULT_NAMING).Regions?.[900]?.Nodes.map(({ Name }) => Name)
  expect([names?.[0], names?.[25], names?.[26], names?.[27]]).toEqual(['900a', '900z', '900aa', '900ab'])
  const apart = buildMap(NODES, { ...DEFAULT_NAMING, isSeparate: true }).Regions
  expect(
    Object.values(apart ?? {}).map(({ RegionID, RegionCode, RegionName }) => [RegionID, RegionCode, RegionName]),
  ).toEqual([
    [900, 'custom', 'Custom'],
    [901, 'custom-2', 'Custom 2'],
  ])
})

test('unknown formats and invalid region IDs are refused', () => {
  expect(() => parseMapFormat('xml')).toThrow(
    'format DERP map for "xml": must be one of tailscale, headscale, json, yaml',
  )
  expect(parseRegionId('901')).toBe(901)
  for (const text of ['0', '-1', '9x', '', '99999999999999999999'])
    expect(() => parseRegionId(text)).toThrow('use region ID')
})
