import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandPath } from '../support/commands.ts'
import { hasGo } from '../support/go-tools.ts'
import { type Program, startProgram } from '../support/process.ts'
import { type RunningTlsRelay, startOurRelay, startOurTlsRelay, startReferenceTlsRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { listenOnLoopback } from '../support/socket-server.ts'

const DERP = commandPath('derp')
const directory = mkdtempSync(join(tmpdir(), 'derp-clients-'))
const ca = join(directory, 'ca.pem')
const start = (...args: string[]): Promise<Program> => startProgram(RUNTIME_PATH, [DERP, ...args])

async function clients(...args: string[]) {
  const program = await start('clients', ...args)
  const code = await program.exit()
  return { code, stdout: program.stdout, stderr: program.stderr }
}

let relay: RunningTlsRelay
beforeAll(async () => {
  relay = await startOurTlsRelay()
  writeFileSync(ca, relay.ca)
})
afterAll(async () => {
  await relay?.stop()
  rmSync(directory, { recursive: true })
})

test('derp clients lists who is connected, as a table and as JSON', async () => {
  const client = await start('cat', '--ca', ca, relay.url)
  const [key = ''] = await client.stderrMatch(/nodekey:[0-9a-f]{64}/)
  const table = await clients('--ca', ca, relay.url)
  expect(table).toMatchObject({ code: 0, stderr: '' })
  expect(table.stdout).toMatch(
    /^all clients: 1 connection of 1 key\n\nkey +address +connected .*\n\[\S{5}\] {2}127\.0\.0\.1:\d+ +\d+s +0 packets, 0 B/,
  )
  const json = await clients('--ca', ca, '--key', key, '--json', `localhost:${relay.port}`)
  expect(JSON.parse(json.stdout)).toMatchObject({ conns: 1, clients: [{ key, rxPkts: 0 }] })
  const other = await clients('--ca', ca, '--cidr', '192.0.2.0/24', relay.url)
  expect(other).toMatchObject({ code: 0, stdout: 'clients from 192.0.2.0/24: 0 connections of 0 keys\n' })
  await client.stop()
})

test('derp clients reports what it cannot do', async () => {
  expect(await clients('--ca', ca, '--sort', 'age', relay.url)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`show clients of localhost:${relay.port}: bad sort "age"; want one of key`),
  })
  expect(await clients(relay.url)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^derp: secure connection to localhost:.*no trusted authority/),
  })
  expect(await clients('--ca', ca, '--pin', '00'.repeat(32), relay.url)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('not the pinned'),
  })
})

test('derp clients shows the debug key where its address has no access', async () => {
  const keyFile = join(directory, 'debug.key')
  writeFileSync(keyFile, 'a-debug-key\n')
  const open = await startOurRelay([], { TS_DEBUG_KEY_PATH: keyFile })
  // A forwarded request has no access by address (P-190).
  const proxy = await listenOnLoopback(
    createServer((request, response) => {
      const headers = { 'X-Forwarded-For': '192.0.2.1' }
      get({ port: open.port, path: request.url, headers }, reply => {
        response.writeHead(reply.statusCode ?? 502)
        reply.pipe(response)
      })
    }),
  )
  const url = `http://127.0.0.1:${proxy.port}`
  expect(await clients(url)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('debug access denied; ask on its machine'),
  })
  expect(await clients('--token', 'a-debug-key', url)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('0 keys'),
  })
  await proxy[Symbol.asyncDispose]()
  await open.stop()
})

test.skipIf(!hasGo)('derp clients says that stock v1.84.1 has no such page', async () => {
  const stock = await startReferenceTlsRelay()
  const file = join(directory, 'stock.pem')
  writeFileSync(file, stock.ca)
  expect(await clients('--ca', file, stock.url)).toEqual({
    code: 1,
    stdout: '',
    stderr: `derp: show clients of localhost:${stock.port}: it has no page /debug/clients/; the original has one only in releases after v1.84.1\n`,
  })
  await stock.stop()
})
