/** DERP maps as JSON, HuJSON and YAML: parsing, linting, formats. */

import { readMapDocument } from '../../src/cli/derp-map/map-document.ts'
import { formatDerpMap, MAP_FORMATS } from '../../src/cli/derp-map/map-formats.ts'
import { DerpMapError } from '../../src/derpmap/derp-map-error.ts'
import { diffDerpMaps } from '../../src/derpmap/diff.ts'
import { lintDerpMap } from '../../src/derpmap/lint/lint.ts'
import { parseDerpMapText } from '../../src/derpmap/node-map-text.ts'
import { parseDerpMap } from '../../src/derpmap/parse.ts'
import type { DERPMap } from '../../src/derpmap/types.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { utf8 } from '../support/input-reader.ts'

const NODE =
  '{"Name":"900a","RegionID":900,"HostName":"derp.example.com","IPv4":"192.0.2.1","DERPPort":443,"STUNPort":-1}'
const REGION = `{"RegionID":900,"RegionCode":"own","RegionName":"Own","Nodes":[${NODE}]}`

export const target: FuzzTarget = {
  about:
    'Any text as DERP map: only `DerpMapError`; what is read is read again from each format, with no difference; the linter throws nothing, and finds an error where the parser does; places are in the text.',
  seeds: [
    `{"Regions":{"900":${REGION}}}`,
    `// own\n{"derpMap":{"OmitDefaultRegions":true,"Regions":{"900":${REGION},"1":null,}}}`,
    'regions:\n  900:\n    regionid: 900\n    regioncode: own\n    nodes:\n      - name: 900a\n        hostname: derp.example.com\n        ipv6: "2001:db8::1"\n',
    '{"HomeParams":{"RegionScore":{"1":0.5}},"Regions":{"1":{"RegionID":1,"RegionCode":"a","Avoid":true,"Nodes":[{"Name":"1a","HostName":"a","CertName":"sha256-raw:00"}]}}}',
    '- a: &x [*x]\n',
  ].map(text => Buffer.from(text)),
  words: [
    '"Regions"',
    'HomeParams',
    'RegionScore',
    '"Nodes"',
    'STUNTestIP',
    'CanPort80',
    'InsecureForTests',
    'Latitude',
    'sha256-raw:',
    'null',
    '&a',
    '*a',
    '<<:',
    '!!binary',
    '\ufeff',
    '__proto__',
  ],
  run: async input => {
    const text = utf8(input)
    const lint = lintOf(text)
    const map = await orError(() => parseDerpMapText(text))
    if (map === undefined) {
      must(/^error /m.test(lint), 'the linter finds an error where the parser does')
      return `${lint}\nrefused`
    }
    await checkFormats(map)
    return `${lint}\n${JSON.stringify(map)}`
  },
}

async function checkFormats(map: DERPMap): Promise<void> {
  mustAgree('a map parsed again', parseDerpMap(JSON.parse(JSON.stringify(map))), map)
  for (const format of MAP_FORMATS) {
    const text = formatDerpMap(map, format)
    // Headscale takes regions alone.
    const expected =
      format === 'json' || format === 'tailscale' ? map : { ...(map.Regions && { Regions: map.Regions }) }
    const isEmpty = Object.keys(map.Regions ?? {}).length === 0
    const again = isEmpty ? expected : await parseDerpMapText(text)
    must(isSame(again, expected), `a map written for ${format} reads the same`)
  }
}

function isSame(one: DERPMap, other: DERPMap): boolean {
  return JSON.stringify(diffDerpMaps(one, other)) === JSON.stringify(diffDerpMaps(other, other))
}

function lintOf(text: string): string {
  const { value, format, path, issues, placeOf } = readMapDocument(text)
  const found = value === undefined ? issues : [...issues, ...lintDerpMap({ value, format, path })]
  const lines = text.split('\n').length
  for (const issue of found) {
    must(issue.message !== '' && issue.fix !== '', 'every issue says what is wrong and what to do')
    const { line = 1, column = 1 } = placeOf(issue.path) ?? {}
    must(line >= 1 && line <= lines && column >= 1, 'a place is in the text')
  }
  return found.map(({ severity, rule, path: at }) => `${severity} ${rule} ${at.join('.')}`).join('\n')
}

async function orError<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof DerpMapError) return undefined
    throw error
  }
}
