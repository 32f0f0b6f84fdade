import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseDerpMapText, readDerpMapFile } from './node-map-text.ts'

const MAP = {
  Regions: {
    900: {
      RegionID: 900,
      RegionCode: 'own',
      RegionName: 'Our Own',
      Nodes: [{ Name: '900a', RegionID: 900, HostName: 'relay.test', STUNPort: 3478, STUNOnly: false, DERPPort: 0 }],
    },
  },
}

const HU_JSON = `// The policy of our network.
{
  "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}], /* all */
  "derpMap": {
    "Regions": { "900": {
      "RegionID": 900, "RegionCode": "own", "RegionName": "Our Own", // "https://relay.test"
      "Nodes": [{"Name": "900a", "RegionID": 900, "HostName": "relay.test", "STUNPort": 3478, "STUNOnly": false, "DERPPort": 0,}],
    } },
  },
}`

const HEADSCALE_YAML = `# /etc/headscale/derp.yaml
regions:
  900:
    regionid: 900
    regioncode: own
    regionname: Our Own
    nodes:
      - name: 900a
        regionid: 900
        hostname: relay.test
        stunport: 3478
        stunonly: false
        derpport: 0
`

test.each([
  ['JSON', JSON.stringify(MAP)],
  ['JSON behind a byte order mark', `\uFEFF${JSON.stringify(MAP)}`],
  ['HuJSON', HU_JSON],
  ['YAML', HEADSCALE_YAML],
  ['YAML behind a byte order mark', `\uFEFF${HEADSCALE_YAML}`],
])('a map in %s is read', async (_format, text) => {
  expect(await parseDerpMapText(text)).toEqual(MAP)
})

test.each([
  ['{"Regions": {"900": }}', /not JSON: ValueExpected in line 1/],
  ['{\n"Regions": {', /not JSON: \w+ in line 2/],
  ['regions: [900', /neither JSON nor YAML: /],
  ['just words', /the map is "just words": not an object/],
])('a text that is not a map is refused: %j', async (text, message) => {
  await expect(parseDerpMapText(text)).rejects.toThrow(message)
})

test('a map is read from a file of limited size', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'derp-map-'))
  try {
    const path = join(folder, 'derp.yaml')
    await writeFile(path, HEADSCALE_YAML)
    expect(await readDerpMapFile(path)).toEqual(MAP)
    await writeFile(path, new Uint8Array((4 << 20) + 1))
    await expect(readDerpMapFile(path)).rejects.toThrow('a file of 4194305 bytes, more than 4194304')
    await expect(readDerpMapFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
  } finally {
    await rm(folder, { recursive: true })
  }
})
