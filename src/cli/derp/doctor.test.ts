import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ListeningRelay } from '../../../test/support/listening-relay.ts'
import { listenOnLoopback, startTcpServer } from '../../../test/support/socket-server.ts'
import { TestCa } from '../../../test/support/test-ca.ts'
import { testIo } from '../../../test/support/test-io.ts'
import { main } from './derp.ts'

const directory = mkdtempSync(join(tmpdir(), 'derp-doctor-'))
const caFile = join(directory, 'ca.pem')
let relay: ListeningRelay

beforeAll(async () => {
  const ca = await TestCa.create()
  writeFileSync(caFile, ca.certificate)
  relay = await ListeningRelay.start({
    tls: { hostname: '127.0.0.1', certificate: await ca.issue({ ips: ['127.0.0.1'] }) },
  })
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

async function doctor(...args: string[]) {
  const io = testIo()
  // Closed loopback ports, which respond at once.
  const ports = args.some(arg => arg.endsWith('.json')) ? [] : ['--stun-port', '9', '--http-port', '9']
  const code = await main(['doctor', '--timeout', '60s', ...ports, ...args], io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

function write(name: string, value: unknown): string {
  const path = join(directory, name)
  writeFileSync(path, JSON.stringify(value))
  return path
}

const mapOf = (...nodes: object[]) => ({
  Regions: { 900: { RegionID: 900, RegionCode: 'lab', RegionName: 'Lab', Nodes: nodes } },
})
const nodeOf = (fields: object) => ({ Name: '900a', RegionID: 900, HostName: '127.0.0.1', STUNPort: -1, ...fields })

test('derp doctor prints each step, and exits with 0 without failures', async () => {
  const { code, stdout } = await doctor('--ca', caFile, `127.0.0.1:${relay.port}`)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ {2}ok +Login +\d+ ms {2}admitted$/m)
  expect(stdout).toMatch(/^Warning: STUN over IPv4: no STUN server is listening/m)
})

test('derp doctor exits with the code of the broken layer and prints the fix', async () => {
  const gone = await startTcpServer(() => {})
  await gone[Symbol.asyncDispose]()
  const tcp = await doctor(`127.0.0.1:${gone.port}`)
  expect(tcp.code).toBe(11)
  expect(tcp.stdout).toContain('Cause: nothing listens there')
  expect(tcp.stdout).toContain('Fix: check host and port, and that the server is running.')
  expect((await doctor(`127.0.0.1:${relay.port}`)).code).toBe(12)
  await using site = await listenOnLoopback(createServer((_request, response) => response.end('hello')))
  expect((await doctor(`http://127.0.0.1:${site.port}`)).code).toBe(13)
})

test('derp doctor accepts a pinned certificate and rejects an invalid pin', async () => {
  const { stdout } = await doctor('--json', '--ca', caFile, '--pin', 'ab'.repeat(32), `127.0.0.1:${relay.port}`)
  const shown = /shown (sha256-raw:[0-9a-f]{64})/.exec(stdout)?.[1] ?? ''
  expect((await doctor('--pin', shown, `127.0.0.1:${relay.port}`)).code).toBe(0)
  const wrong = await doctor('--pin', 'abc', '127.0.0.1')
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('not a SHA-256 of 64 hex digits')])
})

test('derp doctor prints JSON with cause, layer and fix', async () => {
  const { code, stdout } = await doctor('--json', `127.0.0.1:${relay.port}`)
  const report = JSON.parse(stdout)
  expect(report).toMatchObject({
    ok: false,
    exitCode: code,
    relays: [{ url: `https://127.0.0.1:${relay.port}/derp`, cause: { id: 'untrusted', layer: 'TLS' } }],
  })
  expect(report.relays[0].steps).toContainEqual({
    step: 'http',
    layer: 'HTTP',
    status: 'skipped',
    reason: 'after TLS failed',
  })
})

test('derp doctor checks all relays of a map, and fails if one lacks what the map promises', async () => {
  const good = write('good.json', mapOf(nodeOf({ DERPPort: relay.port })))
  expect((await doctor('--ca', caFile, good)).code).toBe(0)
  const promising = write('stun.json', mapOf(nodeOf({ DERPPort: relay.port, STUNPort: 9 })))
  const { code, stdout } = await doctor('--ca', caFile, promising)
  expect([code, stdout]).toEqual([17, expect.stringContaining('Cause: no STUN server is listening')])
  expect((await doctor('--region', 'nowhere', good)).stderr).toContain('the map has lab')
})

test('derp doctor exits with 2 for a map with errors even if its relays work', async () => {
  const { RegionID: _missing, ...node } = nodeOf({ DERPPort: relay.port })
  const { code, stderr } = await doctor('--ca', caFile, write('faulty.json', mapOf(node)))
  expect([code, stderr]).toEqual([2, expect.stringContaining('RegionID is missing')])
})

test('derp doctor rejects what is neither a relay nor a map', async () => {
  for (const missing of ['./absent', '/absent', 'absent.yaml']) {
    const { code, stderr } = await doctor(missing)
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^derp: read DERP map .*absent.*; pass a readable file/)])
  }
  const none = await doctor('')
  expect([none.code, none.stderr]).toEqual([2, 'derp: read relay "": neither a host nor a URL\n'])
})

test('derp doctor without a relay names one', async () => {
  const { code, stderr } = await doctor()
  expect([code, stderr]).toEqual([2, expect.stringContaining('such as relay.example or http://127.0.0.1:3340\n')])
})

test('derp doctor takes one file by each --key-file, so that the relay may come after it', async () => {
  const { code, stderr } = await doctor('--key-file', '/nowhere/one', '--key-file', '/nowhere/two', 'relay.example')
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^derp: read key file \/nowhere\/one: /)])
})

test('derp doctor gives the words of the resolver once', async () => {
  const { code, stdout } = await doctor('nobody.invalid')
  expect(code).toBe(10)
  expect(stdout).toMatch(/^Cause: DNS [^(]*\([^():]*\)\.$/m)
})
