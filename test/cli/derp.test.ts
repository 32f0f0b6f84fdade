import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/entries/derphttp.ts'
import { commandPath } from '../support/commands.ts'
import { hasGo } from '../support/go-tools.ts'
import { payload } from '../support/payload.ts'
import { type Program, startProgram } from '../support/process.ts'
import {
  type RunningRelay,
  type RunningTlsRelay,
  startOurRelay,
  startOurTlsRelay,
  startReferenceTlsRelay,
} from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'

const DERP = commandPath('derp')
const derp = (...args: string[]): Promise<Program> => startProgram(RUNTIME_PATH, [DERP, ...args])

let relay: RunningRelay
beforeAll(async () => {
  relay = await startOurRelay()
})
afterAll(() => relay?.stop())

const keyOf = async (program: Program): Promise<string> =>
  (await program.stderrMatch(/^(nodekey:[0-9a-f]{64})$/m))[1] as string

test('derp cat transfers megabytes from one terminal to another', async () => {
  const printer = await derp('cat', relay.url)
  const received: Uint8Array[] = []
  let length = 0
  const data = Buffer.from(payload(3_000_000, 1))
  const complete = new Promise<void>(resolve => {
    printer.child.stdout?.on('data', (chunk: Uint8Array) => {
      received.push(chunk)
      length += chunk.length
      if (length >= data.length) resolve()
    })
  })
  const sender = await derp('cat', '--to', await keyOf(printer), relay.url)
  sender.child.stdin?.end(data)
  expect(await sender.exit()).toBe(0)
  await complete
  expect(Buffer.concat(received).equals(data)).toBe(true)
  await printer.stop('SIGINT')
  expect(await printer.exit()).toBe(0)
})

describe.each([
  ['ours', startOurTlsRelay],
  ['stock', startReferenceTlsRelay],
] as const)('derp cat --file through a relay over TLS, %s', (whose, start) => {
  const isMissing = whose === 'stock' && !hasGo
  let over: RunningTlsRelay
  beforeAll(async () => {
    if (!isMissing) over = await start()
  }, 180_000)
  afterAll(() => over?.stop())

  test.skipIf(isMissing)('copies a file by map and region, and both ends have its hash', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'derp-cat-'))
    const [from, to, ca, map] = ['from', 'to', 'ca.pem', 'map.json'].map(name => join(directory, name)) as [
      string,
      string,
      string,
      string,
    ]
    writeFileSync(ca, over.ca)
    writeFileSync(from, payload(3_000_000, 3))
    const node = {
      Name: '900a',
      RegionID: 900,
      HostName: 'localhost',
      IPv4: '127.0.0.1',
      IPv6: 'none',
      DERPPort: over.port,
    }
    const region = { RegionID: 900, RegionCode: 'lab', RegionName: 'Lab', Nodes: [node] }
    writeFileSync(map, JSON.stringify({ Regions: { 900: region } }))
    const receiver = await derp('cat', '--ca', ca, '--map', map, '--region', 'lab', '--file', to)
    const sender = await derp('cat', '--ca', ca, '--to', await keyOf(receiver), '--file', from, over.url)
    expect([await sender.exit(), await receiver.exit()], sender.stderr).toEqual([0, 0])
    expect(sender.stderr).toMatch(/^sent 3\.00 MB in [\d.]+ s, .*; the receiver has the same SHA-256 [0-9a-f]{64}$/m)
    expect(Buffer.compare(readFileSync(to), readFileSync(from))).toBe(0)
    rmSync(directory, { recursive: true })
  })
})

test('derp cat shows a token to relays that admit by token', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'derp-cat-'))
  const file = join(directory, 'tokens')
  writeFileSync(file, 'alice secret-token-of-alice\n', { mode: 0o600 })
  const closed = await startOurRelay(['-tokens-file', file])
  const refused = await derp('cat', closed.url)
  expect(await refused.exit()).toBe(1)
  const admitted = await derp('cat', '--token', 'secret-token-of-alice', closed.url)
  await keyOf(admitted)
  await admitted.stop()
  await closed.stop()
  rmSync(directory, { recursive: true })
})

test('derp cat with a key file uses its key', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'derp-cli-'))
  const file = join(directory, 'key')
  const key = NodePrivateKey.generate()
  writeFileSync(file, JSON.stringify({ PrivateKey: key.exportText() }))
  const program = await derp('cat', '--key-file', file, relay.url)
  expect(await keyOf(program)).toBe(String(key.publicKey()))
  await program.stop()
  const shown = await derp('key', file)
  expect(await shown.lineWhere(line => line)).toBe(String(key.publicKey()))
  rmSync(directory, { recursive: true })
})

test('derp cat reports an invalid URL or key, and an unreachable relay', async () => {
  const wrongUrl = await derp('cat', 'ftp://x/derp')
  expect([await wrongUrl.exit(), wrongUrl.stderr]).toEqual([2, expect.stringContaining('ftp')])
  const wrongKey = await derp('cat', '--to', 'nodekey:12', relay.url)
  expect([await wrongKey.exit(), wrongKey.stderr]).toEqual([2, expect.stringContaining('hex digits')])
  const noRelay = await derp('cat', 'http://127.0.0.1:1/derp')
  expect([await noRelay.exit(), noRelay.stderr]).toEqual([1, expect.stringMatching(/^derp: .*127\.0\.0\.1/)])
})

test('derp key prints a key in key file format', async () => {
  const program = await derp('key')
  const stored: { PrivateKey: string } = JSON.parse(await program.lineWhere(line => line))
  expect(NodePrivateKey.parse(stored.PrivateKey).isZero()).toBe(false)
})

test('derper derp-map output passes derp map lint through a pipe', async () => {
  const derper = commandPath('derper')
  const flags = ['-for', 'headscale', '-hostname', 'relay.example', '-c', '/nowhere/key', '-certdir', '/nowhere']
  const writer = await startProgram(RUNTIME_PATH, [derper, 'derp-map', ...flags])
  const linter = await derp('map', 'lint', '-')
  if (writer.child.stdout === null || linter.child.stdin === null) throw new Error('pipe: no streams')
  writer.child.stdout.pipe(linter.child.stdin)
  expect(await linter.lineWhere(line => line)).toBe('-: YAML, 0 errors, 0 warnings')
  expect([await writer.exit(), await linter.exit()]).toEqual([0, 0])
})
