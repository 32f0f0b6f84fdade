import { expect, test } from 'vitest'
import type { DerpMapError } from './derp-map-error.ts'
import { parseDerpMap } from './parse.ts'

const NODE = { Name: '900a', RegionID: 900, HostName: 'relay.test' }
const REGION = { RegionID: 900, RegionCode: 'own', RegionName: 'Our Own', Nodes: [NODE] }
const MAP = { Regions: { 900: REGION } }

/** The parsed map, and the paths of the warnings. */
function read(input: unknown) {
  const warnings: DerpMapError[] = []
  const map = parseDerpMap(input, { onWarning: warning => void warnings.push(warning) })
  return { map, paths: warnings.map(({ path }) => path), reasons: warnings.map(({ reason }) => reason) }
}

test.each(['derpMap', 'DERPMap', 'derpmap'])('a map is found in the member %s of a policy file', member => {
  expect(read({ acls: [], [member]: MAP })).toEqual({ map: MAP, paths: [], reasons: [] })
})

test.each([
  [{ Region: {} }, '"Region"'],
  [{ DERPRegions: MAP.Regions }, '"DERPRegions"'],
  [{ 900: REGION }, '"900"'],
  [{ acls: [], ssh: [] }, '"acls", "ssh"'],
])('a document without regions is refused, naming its members: %j', (input, found) => {
  expect(() => parseDerpMap(input)).toThrow(`a DERP map needs regions; found ${found}`)
})

test('a policy file without regions is refused, naming the members of its map', () => {
  expect(() => parseDerpMap({ acls: [], derpMap: { Region: MAP.Regions } })).toThrow(
    'derpMap.Regions is missing: a DERP map needs regions; found "Region"',
  )
  expect(parseDerpMap({ acls: [], derpMap: {} })).toEqual({})
})

test('only an empty object, empty regions and removed regions make an empty map', () => {
  expect(parseDerpMap({})).toEqual({})
  expect(parseDerpMap({ Regions: {} })).toEqual({ Regions: {} })
  expect(parseDerpMap({ Regions: { 1: null } })).toEqual({ Regions: {} })
  expect(() => parseDerpMap({ Regions: { one: REGION } })).toThrow('Regions.one')
  expect(() => parseDerpMap({ Regions: { 900: { ...REGION, RegionID: 901 } } })).toThrow('Regions.900.RegionID')
})

test('an unusable node is left out with a warning, and the others are kept', () => {
  const nodes = [{ Name: 'a' }, NODE, { ...NODE, Name: 'b', DERPPort: '443' }]
  const { map, paths } = read({ Regions: { 900: { ...REGION, Nodes: nodes } } })
  expect(map).toEqual(MAP)
  expect(paths).toEqual(['Regions.900.Nodes[0].HostName', 'Regions.900.Nodes[2].DERPPort'])
})

test('a map without a usable node is refused with the first reason', () => {
  const regions = { 900: { ...REGION, extra: 1, Nodes: [{ ...NODE, DERPPort: '443' }] } }
  expect(() => parseDerpMap({ Regions: regions })).toThrow('Regions.900.Nodes[0].DERPPort is "443"')
})

test('a node without HostName is reached at its address, as in the original', () => {
  const node = { Name: 'a', IPv4: '192.0.2.1', InsecureForTests: true }
  const { map, paths } = read({ Regions: { 900: { ...REGION, Nodes: [node] } } })
  expect(map.Regions?.[900]?.Nodes).toEqual([{ ...node, RegionID: 900, HostName: '192.0.2.1' }])
  expect(paths).toEqual(['Regions.900.Nodes[0].HostName'])
})

test.each([
  ['[::1]', 'write IPv6 addresses without brackets'],
  ['[::1]:443', 'ports in DERPPort'],
  ['relay.test:8443', 'write the port in DERPPort'],
  ['https://relay.test/derp', 'not a host but a URL; use only its host'],
  ['192.0.2.1/24', 'write the address without prefix length'],
])('a host name such as %s is reported with its fix', (HostName, fix) => {
  expect(() => parseDerpMap({ Regions: { 900: { ...REGION, Nodes: [{ ...NODE, HostName }] } } })).toThrow(
    expect.objectContaining({
      path: 'Regions.900.Nodes[0].HostName',
      value: HostName,
      reason: expect.stringContaining(fix),
    }),
  )
})

test.each([
  ['IPv4', '192.0.2.1:443'],
  ['IPv4', '192.0.2.0/24'],
  ['IPv4', '2001:db8::1'],
  ['IPv6', '[2001:db8::1]'],
])('an address that disables its family is a warning: %s %s', (field, value) => {
  const { map, paths, reasons } = read({ Regions: { 900: { ...REGION, Nodes: [{ ...NODE, [field]: value }] } } })
  expect(map.Regions?.[900]?.Nodes).toHaveLength(1)
  expect(paths).toEqual([`Regions.900.Nodes[0].${field}`])
  expect(reasons[0]).toContain(`disables ${field}`)
  expect(read({ Regions: { 900: { ...REGION, Nodes: [{ ...NODE, [field]: 'none' }] } } }).paths).toEqual([])
})

test('unknown fields and duplicate node names are warnings', () => {
  const nodes = [NODE, { ...NODE, Port: 443 }]
  const { paths } = read({ Regions: { 900: { ...REGION, Codes: 'x', Nodes: nodes } } })
  expect(paths).toEqual(['Regions.900.Codes', 'Regions.900.Nodes[1].Port', 'Regions.900.Nodes[1].Name'])
})

test.each([
  ['\uFEFF{}', 'a byte order mark'],
  ['{"Regions": {}, // none\n}', 'JSON with comments or trailing commas (HuJSON)'],
  ['/* map */ {"Regions":{}}', 'JSON with comments or trailing commas (HuJSON)'],
  ['{"Regions":{},}', 'JSON with comments or trailing commas (HuJSON)'],
  ['regions:\n  900:\n    regionid: 900\n', 'YAML'],
  ['---\nregions: {}\n', 'YAML'],
])('the plain parser names the format of %j and its reader', (text, format) => {
  expect(() => parseDerpMap(text)).toThrow(format)
  expect(() => parseDerpMap(text)).toThrow('parseDerpMapText of derphttp/client reads it')
})

test('the plain parser does not guess the format of truncated JSON', () => {
  expect(() => parseDerpMap('{"Regions":{"1":{"Nodes":[{"HostName":"https://x"')).not.toThrow('looks like')
})
