import { describe, expect, test } from 'vitest'
import { findMap } from './find-map.ts'
import { formatMapPath, type LintIssue } from './issue.ts'
import { lintDerpMap } from './lint.ts'
import type { MapFormat } from './view.ts'

const PIN = `sha256-raw:${'0a'.repeat(32)}`

const node = (fields: object = {}) => ({ Name: '900a', RegionID: 900, HostName: 'relay.example', ...fields })
const region = (fields: object = {}) => ({
  RegionID: 900,
  RegionCode: 'here',
  RegionName: 'Here',
  Nodes: [node()],
  ...fields,
})
const mapOf = (fields: object = {}, nodeFields?: object) => ({
  Regions: { 900: region({ ...(nodeFields && { Nodes: [node(nodeFields)] }), ...fields }) },
})

/** Without undefined fields, which documents cannot have. */
const lint = (value: unknown, format: MapFormat = 'json'): readonly LintIssue[] =>
  lintDerpMap({ value: JSON.parse(JSON.stringify(value)), format })
const shown = (value: unknown, format?: MapFormat) =>
  lint(value, format).map(({ severity, rule, path }) => `${severity} ${rule} at ${formatMapPath(path)}`)

test('a valid map has no issues in any format', () => {
  expect(lint(mapOf())).toEqual([])
  expect(lint(mapOf(), 'policy')).toEqual([])
  expect(lint(mapOf({}, { HostName: '192.0.2.1', CertName: PIN, IPv6: 'none', STUNPort: -1, DERPPort: 8443 }))).toEqual(
    [],
  )
  const lower = { regionid: 900, regioncode: 'here', regionname: 'Here' }
  const yaml = { regions: { 900: { ...lower, nodes: [{ name: '900a', regionid: 900, hostname: 'relay.example' }] } } }
  expect(lint(yaml, 'yaml')).toEqual([])
})

describe('problems of a node', () => {
  const at = 'at Regions.900.Nodes[0]'
  test.each<[fields: object, issue: string]>([
    [{ Name: '' }, `error node-name-missing ${at}.Name`],
    [{ RegionID: undefined }, `error node-region-id-missing ${at}`],
    [{ RegionID: 901 }, `error node-region-id-mismatch ${at}.RegionID`],
    [{ HostName: undefined, IPv4: '192.0.2.1' }, `error host-missing ${at}`],
    [{ HostName: '' }, `error host-invalid ${at}.HostName`],
    [{ HostName: 'https://relay.example' }, `error host-invalid ${at}.HostName`],
    [{ HostName: 'relay.example:8443' }, `error host-invalid ${at}.HostName`],
    [{ HostName: '[2001:db8::1]' }, `error host-invalid ${at}.HostName`],
    [{ HostName: 'relay.example ' }, `error host-invalid ${at}.HostName`],
    [{ HostName: '*.example' }, `error host-invalid ${at}.HostName`],
    [{ HostName: 'localhost' }, `warning host-local ${at}.HostName`],
    [{ HostName: '192.0.2.1' }, `warning ip-without-pin ${at}.HostName`],
    [{ HostName: '10.1.2.3', CertName: PIN }, `warning host-local ${at}.HostName`],
    [{ IPv4: '192.0.2.1:443' }, `error address-invalid ${at}.IPv4`],
    [{ IPv4: 'relay.example' }, `error address-invalid ${at}.IPv4`],
    [{ IPv4: '2001:db8::1' }, `error address-invalid ${at}.IPv4`],
    [{ IPv6: '[2001:db8::1]' }, `error address-invalid ${at}.IPv6`],
    [{ IPv6: '2001:db8::1/64' }, `error address-invalid ${at}.IPv6`],
    [{ IPv4: '192.168.1.2' }, `warning address-local ${at}.IPv4`],
    [{ IPv4: '100.100.1.2' }, `warning address-local ${at}.IPv4`],
    [{ IPv4: 'none', IPv6: 'none' }, `error no-address ${at}`],
    [{ CertName: PIN.toUpperCase() }, `error cert-name-invalid ${at}.CertName`],
    [{ CertName: PIN.slice(11) }, `error cert-name-invalid ${at}.CertName`],
    [{ CertName: 'sha256-raw:12ab' }, `error cert-name-invalid ${at}.CertName`],
    [{ CertName: 'https://relay.example' }, `error cert-name-invalid ${at}.CertName`],
    [{ InsecureForTests: true }, `warning insecure ${at}.InsecureForTests`],
    [{ STUNTestIP: '192.0.2.1' }, `warning test-field ${at}.STUNTestIP`],
    [{ DERPPort: '8443' }, `error wrong-type ${at}.DERPPort`],
    [{ DERPPort: 70_000 }, `error wrong-type ${at}.DERPPort`],
    [{ STUNPort: -2 }, `error wrong-type ${at}.STUNPort`],
    [{ CanPort80: 'true' }, `error wrong-type ${at}.CanPort80`],
    [{ Hostname: 'other.example', HostName: undefined }, `warning key-case ${at}.Hostname`],
    [{ Port: 8443 }, `warning unknown-key ${at}.Port`],
  ])('%j', (fields, issue) => {
    expect(shown(mapOf({}, fields))).toContain(issue)
  })

  test('each issue includes a fix', () => {
    const fixOf = (fields: object) => lint(mapOf({}, fields))[0]?.fix
    expect(fixOf({ HostName: 'https://relay.example:8443/derp' })).toBe('write "relay.example" and DERPPort 8443')
    expect(fixOf({ HostName: '[2001:db8::1]:444' })).toBe('write "2001:db8::1" and DERPPort 444')
    expect(fixOf({ IPv4: '192.0.2.1:444' })).toBe('write "192.0.2.1" and DERPPort 444')
    expect(fixOf({ IPv6: '[2001:db8::1]' })).toBe('write "2001:db8::1"')
    expect(fixOf({ IPv4: '2001:db8::1' })).toBe('move it to IPv6; write "none" to disable IPv4')
    expect(fixOf({ CertName: `SHA256:${'0A:'.repeat(31)}0A` })).toBe(`write "${PIN}"`)
  })

  test('a STUNOnly node needs STUN', () => {
    const nodes = [node(), node({ Name: '900b', HostName: 'stun.example', STUNOnly: true, STUNPort: -1 })]
    expect(shown(mapOf({ Nodes: nodes }))).toEqual(['error stun-only-without-stun at Regions.900.Nodes[1].STUNPort'])
  })
})

describe('problems of a region', () => {
  const at = 'at Regions.900'
  test.each<[fields: object, issue: string]>([
    [{ RegionID: undefined }, `error region-id-missing ${at}`],
    [{ RegionID: 901 }, `error region-id-mismatch ${at}.RegionID`],
    [{ Nodes: [] }, `error region-empty ${at}.Nodes`],
    [{ Nodes: undefined }, `error region-empty ${at}`],
    [{ Nodes: 'relay.example' }, `error wrong-type ${at}.Nodes`],
    [{ Nodes: [node({ STUNOnly: true })] }, `error region-stun-only ${at}.Nodes`],
    [{ RegionCode: '' }, `warning region-code-missing ${at}.RegionCode`],
    [{ RegionCode: 'a/b' }, `warning region-code-characters ${at}.RegionCode`],
    [{ RegionName: undefined }, `warning region-name-missing ${at}`],
    [{ Avoid: true }, `warning region-avoid ${at}.Avoid`],
    [{ Latitude: 91 }, `error wrong-type ${at}.Latitude`],
    [{ NoMeasureNoHome: true }, 'error no-home at the map'],
  ])('%j', (fields, issue) => {
    expect(shown(mapOf(fields))).toContain(issue)
  })

  test('IDs of Tailscale regions are valid for Tailscale’s relays only', () => {
    const low = (host: string) => ({
      Regions: { 5: region({ RegionID: 5, Nodes: [node({ RegionID: 5, HostName: host })] }) },
    })
    expect(shown(low('relay.example'))).toEqual(['warning region-id-range at Regions.5'])
    expect(shown(low('derp5.tailscale.com'))).toEqual([])
  })
})

describe('problems of a map', () => {
  const two = (second: object, secondNode: object = {}) => ({
    Regions: {
      900: region(),
      901: region({
        RegionID: 901,
        RegionCode: 'there',
        ...second,
        Nodes: [node({ RegionID: 901, Name: '901a', HostName: 'other.example', ...secondNode })],
      }),
    },
  })
  test.each<[value: unknown, issues: string[]]>([
    [{}, ['error map-empty at the map']],
    [{ Regions: {} }, ['error map-empty at Regions']],
    [{ Regions: { 900: null } }, ['error map-empty at Regions', 'warning region-null at Regions.900']],
    [{ Region: { 900: region() } }, ['error map-empty at the map', 'error unknown-key at Region']],
    [{ Regions: { first: region() } }, ['error map-empty at Regions', 'error region-key at Regions.first']],
    [{ Regions: [region()] }, ['error map-empty at Regions', 'error wrong-type at Regions']],
    [{ ...mapOf(), omitDefaultRegions: true }, ['warning omit-default-regions at omitDefaultRegions']],
    [{ ...mapOf(), HomeParams: { RegionScore: { 900: 0 } } }, ['warning score at HomeParams.RegionScore.900']],
    [{ ...mapOf(), HomeParams: { RegionScore: { 7: 0.5 } } }, ['warning score at HomeParams.RegionScore.7']],
    [two({}, { Name: '900a' }), ['error node-name-duplicate at Regions.901.Nodes[0].Name']],
    [two({}, { HostName: 'relay.example' }), ['warning node-endpoint-duplicate at Regions.901.Nodes[0].HostName']],
    [two({ RegionCode: 'here' }), ['warning region-code-duplicate at Regions.901.RegionCode']],
    [two({}), []],
    ['text', ['error map-empty at the map', 'error wrong-type at the map']],
  ])('%j', (value, issues) => {
    expect(shown(value)).toEqual(issues)
  })

  test('a policy file may only remove regions', () => {
    expect(shown({ Regions: { 1: null } }, 'policy')).toEqual([])
  })

  test('Headscale reads lower-case names only, and ignores null regions and omitdefaultregions', () => {
    const nodes = [{ name: 'a', regionid: 900, hostName: 'relay.example' }]
    const value = {
      omitdefaultregions: true,
      regions: { 1: null, 900: { regionid: 900, regioncode: 'x', regionname: 'X', nodes } },
    }
    expect(shown(value, 'yaml')).toEqual([
      'warning region-null at regions.1',
      'warning omit-default-regions at omitdefaultregions',
      'error key-case at regions.900.nodes[0].hostName',
    ])
  })
})

describe('findMap', () => {
  test('finds maps in policy files and responses of control servers', () => {
    expect(findMap({ acls: [], derpMap: { Regions: {} } })).toMatchObject({ path: ['derpMap'], isPolicy: true })
    expect(findMap({ DERPMap: { Regions: {} } })).toMatchObject({ path: ['DERPMap'], value: { Regions: {} } })
    expect(findMap({ regions: {} })).toMatchObject({ path: [] })
    expect(findMap({})).toMatchObject({ path: [] })
  })

  test.each<[document: unknown, message: RegExp]>([
    [[], /not an object/],
    [undefined, /not an object/],
    [{ acls: [] }, /policy file has no "derpMap"/],
    [{ server_url: 'x', derp: { urls: [] } }, /config\.yaml/],
    [{ RegionID: 900, Nodes: [] }, /single region/],
    [{ RegionID: 900, HostName: 'x' }, /single node/],
    [{ hello: 1 }, /"hello"/],
  ])('explains why %j is not a map', (document, message) => {
    expect(findMap(document)).toMatchObject({ missing: { message: expect.stringMatching(message) } })
  })
})
