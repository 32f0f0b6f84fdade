import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { listenOnLoopback } from '../../../../test/support/socket-server.ts'
import { testIo } from '../../../../test/support/test-io.ts'
import { main } from '../derp.ts'

const directory = mkdtempSync(join(tmpdir(), 'derp-map-'))
afterAll(() => rmSync(directory, { recursive: true }))

const GOOD = {
  Regions: {
    900: {
      RegionID: 900,
      RegionCode: 'here',
      RegionName: 'Here',
      Nodes: [
        { Name: '900a', RegionID: 900, HostName: 'relay.example', IPv6: 'none', CanPort80: true },
        {
          Name: '900b',
          RegionID: 900,
          HostName: '2001:db8::1',
          CertName: `sha256-raw:${'0a'.repeat(32)}`,
          DERPPort: 8443,
          STUNPort: -1,
        },
      ],
    },
  },
}

function write(name: string, value: unknown): string {
  const path = join(directory, name)
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
  return path
}

async function derp(args: readonly string[], stdin = '') {
  const io = testIo({ stdin })
  const code = await main(['map', ...args], io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

test('lint reports each issue with position and fix, and fails on errors only', async () => {
  const good = write('good.json', GOOD)
  expect(await derp(['lint', good])).toEqual({ code: 0, stdout: `${good}: JSON, 0 errors, 0 warnings\n`, stderr: '' })
  const bad = write(
    'bad.json',
    '{\n  "Regions": {\n    "900": {"RegionID": 900, "RegionCode": "x", "Nodes": []}\n  }\n}',
  )
  expect(await derp(['lint', bad])).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(
      `${bad}:3:49: error: Regions.900.Nodes: region has no nodes; add a node or remove the region [region-empty]\n`,
    ),
  })
  const odd = JSON.stringify(GOOD).replace('2001:db8::1', 'localhost')
  expect(await derp(['lint', '-'], odd)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/JSON, 0 errors, 1 warning\n$/),
  })
  expect(await derp(['lint', '--strict', '-'], odd)).toMatchObject({ code: 1 })
})

test('lint as JSON has paths, lines and columns', async () => {
  const { code, stdout } = await derp(['lint', '--json', '-'], 'regions:\n  900:\n    regionid: 901\n')
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    source: '-',
    format: 'yaml',
    errors: 2,
    warnings: 2,
    issues: expect.arrayContaining([
      expect.objectContaining({ rule: 'region-id-mismatch', path: 'regions.900.regionid', line: 3, column: 5 }),
    ]),
  })
})

test('show fills in defaults', async () => {
  const { stdout } = await derp(
    ['show', '-'],
    JSON.stringify({ ...GOOD, omitDefaultRegions: true, HomeParams: { RegionScore: { 900: 2 } } }),
  )
  expect(stdout).toBe(`1 region, 2 nodes, without the default regions

Region 900 (here) Here [latency times 2]
  900a  relay.example:443   IPv4 by DNS  IPv6 off          STUN 3478  certificate for relay.example     HTTP 80
  900b  [2001:db8::1]:8443  IPv4 off     IPv6 2001:db8::1  no STUN    certificate pinned 0a0a0a0a0a0a…
`)
})

test('diff marks changes that make clients reconnect, and fails if anything differs', async () => {
  const before = write('before.json', GOOD)
  expect(await derp(['diff', before, before])).toEqual({ code: 0, stdout: 'no differences\n', stderr: '' })
  const [first, second] = GOOD.Regions[900].Nodes
  const after = write('after.json', {
    Regions: {
      900: {
        ...GOOD.Regions[900],
        RegionName: 'There',
        Nodes: [{ ...first, HostName: 'new.example', STUNPort: 3479 }],
      },
      901: { RegionID: 901, RegionCode: 'two', RegionName: 'Two', Nodes: [{ ...second, Name: '901a', RegionID: 901 }] },
    },
  })
  expect(await derp(['diff', before, after])).toEqual({
    code: 1,
    stderr: '',
    stdout: `+ region 901 (two)
~ region 900 (here)
    RegionName: "Here" → "There"
  - node 900b (2001:db8::1)
  ~ node 900a (new.example): clients reconnect
      HostName: "relay.example" → "new.example"
      STUNPort: none → 3479
`,
  })
  expect(JSON.parse((await derp(['diff', '--json', before, after])).stdout)).toMatchObject({ regionsAdded: [901] })
})

test('convert reads and writes any format', async () => {
  const { stdout: yaml } = await derp(['convert', '--for', 'headscale', '-'], JSON.stringify({ derpMap: GOOD }))
  expect(yaml).toContain('\n        hostname: relay.example\n')
  const { stdout: json } = await derp(['convert', '--for', 'json', '-'], yaml)
  expect(JSON.parse(json)).toEqual(GOOD)
})

test('schema matches docs/derpmap.schema.json (to update: derp map schema > docs/derpmap.schema.json)', async () => {
  const { stdout } = await derp(['schema'])
  const stored = readFileSync(join(import.meta.dirname, '../../../../docs/derpmap.schema.json'), 'utf8')
  expect(stdout).toBe(stored)
})

test('a map can be read from a URL', async () => {
  const web = createServer((request, response) => {
    if (request.url === '/map') response.end(JSON.stringify(GOOD))
    else response.writeHead(404).end()
  })
  await using server = await listenOnLoopback(web)
  const url = `http://127.0.0.1:${server.port}`
  expect(await derp(['lint', `${url}/map`])).toMatchObject({ code: 0 })
  expect(await derp(['lint', url])).toEqual({
    code: 2,
    stdout: '',
    stderr: `derp: read DERP map ${url}: status 404 Not Found\n`,
  })
})

test.each<[args: string[], code: number, stderr: RegExp]>([
  [['lint', '/nowhere/map.json'], 2, /^derp: read DERP map \/nowhere\/map\.json: ENOENT.*pass a readable file/],
  [['show', '-'], 1, /^derp: read DERP map -: not an object; a DERP map is/],
  [['convert', '--for', 'xml', '-'], 2, /must be one of tailscale/],
  [['make', '--for', 'json', 'http://relay.example/derp'], 2, /clients connect over TLS only/],
  [['make', '--for', 'json', 'https://relay.example/other'], 2, /clients request \/derp only/],
  [['make', '--for', 'json', '--region-id', '0', 'relay.example'], 2, /use region ID "0"/],
  [['make', '--for', 'json', '--stun-port', '0', 'relay.example'], 2, /Not a port/],
  [['make', 'relay.example'], 2, /required option '--for <tailscale\|headscale\|json\|yaml>' not specified/],
  [['nothing'], 2, /^error: unknown command 'nothing'\n$/],
])('derp map %j fails with one line', async (args, code, stderr) => {
  expect(await derp(args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(stderr) })
})
