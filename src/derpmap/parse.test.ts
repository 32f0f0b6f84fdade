import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { DerpError } from '../lib/derp-error.ts'
import { DerpMapError } from './derp-map-error.ts'
import { parseDerpMap } from './parse.ts'

const NODE = { Name: '900a', RegionID: 900, HostName: 'relay.test' }
const REGION = { RegionID: 900, RegionCode: 'own', RegionName: 'Our Own', Nodes: [NODE] }

const inRegion = (fields: object) => ({ Regions: { 900: { ...REGION, ...fields } } })
const inNode = (fields: object) => inRegion({ Nodes: [NODE, { ...NODE, ...fields }] })

const EVERY_FIELD = {
  HomeParams: { RegionScore: { 1: 0.5, 900: 2 } },
  Regions: {
    1: {
      RegionID: 1,
      RegionCode: 'nyc',
      RegionName: 'New York City',
      Latitude: 40.7,
      Longitude: -74,
      Avoid: true,
      NoMeasureNoHome: true,
      Nodes: [
        {
          Name: '1a',
          RegionID: 1,
          HostName: 'a.relay.test',
          CertName: 'b.relay.test',
          IPv4: '192.0.2.1',
          IPv6: 'none',
          STUNPort: -1,
          STUNOnly: false,
          DERPPort: 8443,
          InsecureForTests: true,
          STUNTestIP: '127.0.0.1',
          CanPort80: true,
        },
      ],
    },
    900: REGION,
  },
  omitDefaultRegions: true,
}

test('parseDerpMap keeps every field, from text and from values (P-222)', () => {
  expect(parseDerpMap(JSON.stringify(EVERY_FIELD))).toEqual(EVERY_FIELD)
  expect(parseDerpMap(EVERY_FIELD)).toEqual(EVERY_FIELD)
})

test('parseDerpMap reads keys in any case and ignores unknown ones and nulls, as the original does', () => {
  const map = parseDerpMap(
    '{"regions":{"900":{"REGIONCODE":"own","later":[1],"Latitude":null,"nodes":[{"hostname":"relay.test","x":{}}]},' +
      '"1":null},"OmitDefaultRegions":true,"unknown":7,"HomeParams":null}',
  )
  expect(map).toEqual({
    Regions: {
      900: {
        RegionID: 900,
        RegionCode: 'own',
        RegionName: '',
        Nodes: [{ Name: '', RegionID: 900, HostName: 'relay.test' }],
      },
    },
    omitDefaultRegions: true,
  })
})

test.each([
  ['{}', {}],
  ['{"Regions":{}}', { Regions: {} }],
  ['{"Regions":{"1":{}}}', { Regions: { 1: { RegionID: 1, RegionCode: '', RegionName: '', Nodes: [] } } }],
  ['{"HomeParams":{}}', { HomeParams: {} }],
])('parseDerpMap accepts %s: missing fields only matter when dialling (P-220)', (json, map) => {
  expect(parseDerpMap(json)).toEqual(map)
})

test.each<[path: string, value: unknown, reason: string, input: unknown]>([
  ['', null, 'not an object', null],
  ['', [], 'not an object', '[]'],
  ['Regions', [], 'not an object', { Regions: [] }],
  ['Regions.x', {}, 'the key is not a region ID', { Regions: { x: {} } }],
  ['Regions.0', {}, 'the key is not a region ID', { Regions: { 0: {} } }],
  ['Regions.-1', {}, 'the key is not a region ID', { Regions: { '-1': {} } }],
  ['Regions.01', {}, 'the key is not a region ID', { Regions: { '01': {} } }],
  ['Regions.__proto__', {}, 'the key is not a region ID', '{"Regions":{"__proto__":{}}}'],
  // JSON numbers above 2⁵³ lose digits, which would change the region.
  [
    'Regions.900.RegionID',
    9007199254740992,
    'not an integer from 1 to 9007199254740991',
    '{"Regions":{"900":{"RegionID":9007199254740993}}}',
  ],
  [
    'Regions.9007199254740992',
    9007199254740992,
    'not an integer from 1 to 9007199254740991',
    { Regions: { '9007199254740992': {} } },
  ],
  ['Regions.900', 'eu', 'not an object', { Regions: { 900: 'eu' } }],
  ['Regions.900.RegionID', 901, 'does not match region 900', inRegion({ RegionID: 901 })],
  ['Regions.900.RegionID', '900', 'not an integer from 1 to 9007199254740991', inRegion({ RegionID: '900' })],
  ['Regions.900.RegionCode', 7, 'not a string', inRegion({ RegionCode: 7 })],
  ['Regions.900.Latitude', '1', 'not a number', inRegion({ Latitude: '1' })],
  ['Regions.900.Avoid', 1, 'not true or false', inRegion({ Avoid: 1 })],
  ['Regions.900.Nodes', {}, 'not a list', inRegion({ Nodes: {} })],
  ['Regions.900.Nodes[0]', null, 'not an object', inRegion({ Nodes: [null] })],
  [
    'Regions.900.Nodes[1].HostName',
    undefined,
    'a node needs a HostName or an IP address',
    inNode({ HostName: undefined }),
  ],
  ['Regions.900.Nodes[1].HostName', '', 'a node needs a HostName or an IP address', inNode({ HostName: '' })],
  ['Regions.900.Nodes[1].RegionID', 1, 'does not match region 900', inNode({ RegionID: 1 })],
  ['Regions.900.Nodes[1].DERPPort', '443', 'not an integer from 0 to 65535', inNode({ DERPPort: '443' })],
  ['Regions.900.Nodes[1].DERPPort', 65_536, 'not an integer from 0 to 65535', inNode({ DERPPort: 65_536 })],
  ['Regions.900.Nodes[1].DERPPort', 1.5, 'not an integer from 0 to 65535', inNode({ DERPPort: 1.5 })],
  ['Regions.900.Nodes[1].STUNPort', -2, 'not an integer from -1 to 65535', inNode({ STUNPort: -2 })],
  ['Regions.900.Nodes[1].IPv4', 127, 'not a string', inNode({ IPv4: 127 })],
  ['HomeParams.RegionScore', [], 'not an object', { HomeParams: { RegionScore: [] } }],
  ['HomeParams.RegionScore.1', '2', 'not a number', { HomeParams: { RegionScore: { 1: '2' } } }],
  ['omitDefaultRegions', 'yes', 'not true or false', { omitDefaultRegions: 'yes' }],
])('parseDerpMap, strict, refuses %s = %j: %s', (path, value, reason, input) => {
  const error = errorOf(() => parseDerpMap(input, { strict: true }))
  expect(error).toBeInstanceOf(DerpMapError)
  expect(error).toMatchObject({ code: 'ERR_DERP_MAP_INVALID', path, value, reason })
})

test('parseDerpMap reports invalid JSON, and truncates a long value', () => {
  const error = errorOf(() => parseDerpMap(`{${'x'.repeat(1_000)}`))
  expect(error).toMatchObject({ code: 'ERR_DERP_MAP_INVALID', path: '', reason: expect.stringMatching(/^not JSON: /) })
  expect(error.message).toMatch(/^parse DERP map: the map is "\{x{78}…: not JSON/)
  const messageOf = (input: unknown) => errorOf(() => parseDerpMap(input)).message
  expect(messageOf(undefined)).toBe('parse DERP map: the map is missing: not an object')
  expect(messageOf({ Regions: 1n })).toBe('parse DERP map: Regions is a bigint: not an object')
  expect(messageOf({ Regions: () => {} })).toBe('parse DERP map: Regions is a function: not an object')
})

test('parseDerpMap of any JSON returns a map that it parses back unchanged, or throws a DerpMapError', () => {
  const names = fc.constantFrom(
    'Regions',
    'regions',
    '1',
    'Nodes',
    'HostName',
    'RegionID',
    'DERPPort',
    'HomeParams',
    'x',
  )
  const leaf = fc.oneof(fc.constantFrom(null, true, 1, -1, 0.5, '', 'relay.test'), fc.string())
  const { json } = fc.letrec(tie => ({
    json: fc.oneof({ maxDepth: 6 }, leaf, fc.dictionary(names, tie('json')), fc.array(tie('json'), { maxLength: 3 })),
  }))
  const shaped = json.map(value => ({ Regions: { 1: { Nodes: [{ HostName: 'relay.test' }, value] }, 2: value } }))
  fc.assert(
    fc.property(fc.oneof(json, shaped), value => {
      try {
        const map = parseDerpMap(JSON.stringify(value))
        expect(parseDerpMap(JSON.stringify(map))).toEqual(map)
      } catch (error) {
        if (!(error instanceof DerpMapError)) throw error
      }
    }),
  )
})

function errorOf(fn: () => unknown): DerpError {
  try {
    fn()
  } catch (error) {
    if (error instanceof DerpError) return error
    throw error
  }
  throw new Error('expect an error: none was thrown')
}
