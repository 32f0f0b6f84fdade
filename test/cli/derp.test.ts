import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/entries/derphttp.ts'
import { payload } from '../support/payload.ts'
import { type Program, startProgram } from '../support/process.ts'
import { type RunningRelay, startOurRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'

const DERP = join(import.meta.dirname, '../../src/bin/derp.ts')
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
  const derper = join(import.meta.dirname, '../../src/bin/derper.ts')
  const flags = ['-for', 'headscale', '-hostname', 'relay.example', '-c', '/nowhere/key', '-certdir', '/nowhere']
  const writer = await startProgram(RUNTIME_PATH, [derper, 'derp-map', ...flags])
  const linter = await derp('map', 'lint', '-')
  if (writer.child.stdout === null || linter.child.stdin === null) throw new Error('pipe: no streams')
  writer.child.stdout.pipe(linter.child.stdin)
  expect(await linter.lineWhere(line => line)).toBe('-: YAML, 0 errors, 0 warnings')
  expect([await writer.exit(), await linter.exit()]).toEqual([0, 0])
})
