import { describe, expect, test } from 'vitest'
import { readMapDocument } from './map-document.ts'

const rulesOf = (text: string) => readMapDocument(text).issues.map(({ severity, rule }) => `${severity} ${rule}`)

const POLICY = `// the tailnet's
{
  "acls": [],
  "derpMap": {
    "Regions": {
      "900": { "RegionID": 900, "Nodes": [{ "Name": "900a" }, { "HostName": "b" },] }, // ours
    },
  },
}`

describe('the content decides the format', () => {
  test('a policy file, with comments and trailing commas', () => {
    const document = readMapDocument(POLICY)
    expect(document).toMatchObject({ format: 'policy', path: ['derpMap'], issues: [] })
    expect(document.value).toEqual({
      Regions: { 900: { RegionID: 900, Nodes: [{ Name: '900a' }, { HostName: 'b' }] } },
    })
    expect(document.placeOf(['derpMap', 'Regions', '900', 'Nodes', 1, 'HostName'])).toEqual({ line: 6, column: 65 })
    expect(document.placeOf(['derpMap', 'Regions', '900', 'RegionCode'])).toEqual({ line: 6, column: 7 })
  })

  test('strict JSON, and JSON with extensions', () => {
    expect(readMapDocument('{"Regions":{}}')).toMatchObject({ format: 'json', value: { Regions: {} }, issues: [] })
    expect(rulesOf('{"Regions":{},}')).toEqual(['warning relaxed-json'])
    expect(rulesOf('{"Regions":{}} // none')).toEqual(['warning relaxed-json'])
    expect(rulesOf('\ufeff{"Regions":{}}')).toEqual(['warning byte-order-mark'])
  })

  test('YAML, with numeric keys', () => {
    const document = readMapDocument('# ours\nregions:\n  900:\n    nodes:\n      - name: 900a\n        hostname: b\n')
    expect(document).toMatchObject({ format: 'yaml', value: { regions: { 900: { nodes: [{ hostname: 'b' }] } } } })
    expect(document.placeOf(['regions', '900', 'nodes', 0, 'hostname'])).toEqual({ line: 6, column: 9 })
    expect(document.placeOf(['regions', '900', 'regionid'])).toEqual({ line: 3, column: 3 })
    expect(document.placeOf(['regions', '900', 'nodes', 7])).toEqual({ line: 4, column: 5 })
  })
})

test.each<[text: string, rules: string[], message: RegExp]>([
  ['{"Regions": {"900": }}', ['error syntax'], /not JSON: value expected at line 1, column 21/],
  ['{"Regions": {', ['error syntax'], /not JSON: .* at line 1, column 14/],
  ['', ['error map-missing'], /not an object/],
  ['regions: [', ['error syntax'], /not YAML: .* at line 1/],
  ['<html>\n<p a: b: c', ['error syntax'], /^a web page, not a DERP map/],
  ['regions:\n  900: {}\n  900: {}\n', ['error duplicate-key'], /duplicate key at line 3/],
  ['{"Regions": {"900": null, "900": null}}', ['error duplicate-key'], /duplicate key "900"/],
  ['{"acls": []}', ['error map-missing'], /policy file has no "derpMap"/],
  ['server_url: x\nderp:\n  urls: []\n', ['error map-missing'], /config\.yaml/],
])('%j is rejected', (text, rules, message) => {
  const { issues, value, placeOf } = readMapDocument(text)
  expect(issues.map(({ severity, rule }) => `${severity} ${rule}`)).toEqual(rules)
  expect(issues[0]?.message).toMatch(message)
  expect(value).toBeUndefined()
  expect(placeOf(issues[0]?.path ?? [])).toMatchObject({ line: expect.any(Number), column: expect.any(Number) })
})
