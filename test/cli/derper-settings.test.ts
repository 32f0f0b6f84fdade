import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodeClient } from '../../src/client/node/node-client.ts'
import type { DERPRegion } from '../../src/derpmap/types.ts'
import { Client, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { encodeFrame } from '../../src/protocol/encode.ts'
import type { FrameType } from '../../src/protocol/frame-type.ts'
import { summarizeCertificate } from '../../src/tls/certificate-source.ts'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { type Program, startProgram } from '../support/process.ts'
import { freePort, startOurRelay, startOurTlsRelay, untilAnswering } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { portOf, served } from '../support/served.ts'

const DERPER = commandPath('derper')
const MESH_KEY = '0123456789abcdef'.repeat(4)

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'derper-settings-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const derper = (...args: string[]): Promise<Program> => startProgram(RUNTIME_PATH, [DERPER, ...args])

async function refused(...args: string[]): Promise<string> {
  const program = await derper(...args)
  expect(await program.exit()).toBe(2)
  expect(program.stderr.trimEnd().split('\n')).toHaveLength(1)
  return program.stderr
}

const file = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

test('derper serves TLS with certificates from a directory, plain HTTP beside it, and STUN (P-141, P-145, P-166)', async () => {
  const relay = await startOurTlsRelay(['-http-port', '0'])
  const httpPort = portOf((await served(relay.program)).http)
  const redirect = await fetch(`http://127.0.0.1:${httpPort}/x`, { redirect: 'manual' })
  expect([redirect.status, redirect.headers.get('location')]).toEqual([302, `https://127.0.0.1:${httpPort}/x`])
  const target = new Target({ url: relay.url, ca: relay.ca, carriage: 'raw', like: 'ours' })
  expect((await target.http('/derp/probe')).status).toBe(200)
  await relay.stop()
})

test('derper generates a certificate for an IP address and prints its DERP map node (P-145)', async () => {
  const key = join(directory, 'ip.key')
  const flags = ['-a', '127.0.0.1:0', '-http-port', '-1', '-stun=false', '-c', key]
  const program = await derper(...flags, '-hostname', '127.0.0.1', '-certmode', 'manual', '-certdir', directory)
  const { port } = await served(program)
  const [, logged] = await program.stderrMatch(/"derpMapNode":(\{[^}]*\})/)
  const node = JSON.parse(logged as string) as Record<string, unknown>
  const pem = readFileSync(join(directory, '127.0.0.1.crt'), 'utf8')
  expect(node).toEqual({
    Name: 'custom',
    RegionID: 900,
    HostName: '127.0.0.1',
    CertName: `sha256-raw:${summarizeCertificate(pem).fingerprint}`,
    DERPPort: port,
    STUNPort: -1,
  })
  // A client with this node, and no trusted CAs, can connect.
  const region = { RegionID: 900, RegionCode: 'own', RegionName: 'own', Nodes: [node] } as unknown as DERPRegion
  const client = NodeClient.forRegion(NodePrivateKey.generate(), () => region)
  await client.connect()
  await client.close()
  await program.stop()
})

test('derper reads the mesh key from a file, or in development mode from the environment (P-023, P-074)', async () => {
  const fromFile = await startOurRelay(['-mesh-psk-file', file('mesh.key', ` ${MESH_KEY}\n`)])
  const fromEnvironment = await startOurRelay([], { TAILSCALE_DERPER_MESH_KEY: MESH_KEY })
  for (const relay of [fromFile, fromEnvironment]) {
    const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours', meshKey: MESH_KEY })
    const watcher = await target.mesh()
    watcher.send({ type: 'watchConns' })
    expect((await watcher.messageOf('peerPresent')).flags).toBe(2)
    target.closeAll()
    await relay.stop()
  }
  const short = file('short.key', 'abcd')
  expect(await refused('-dev', '-mesh-psk-file', short)).toContain(`set flag -mesh-psk-file to "${short}": `)
  expect(await refused('-dev', '-mesh-psk-file', join(directory, 'none'))).toContain('no such file')
})

test('derper limits clients by its rate config, and reloads it on SIGHUP (P-103)', async () => {
  const config = file('rate.json', '{"PerClientRateLimitBytesPerSec": 1000000000}')
  const relay = await startOurRelay(['-rate-config', config])
  const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours' })
  const client = await target.login()
  const limit = async () => (await target.vars())['derp'] as Record<string, unknown>
  expect((await limit())['rate_limit_per_client_bytes_per_second']).toBe(1_000_000_000)

  file('rate.json', '{"PerClientRateLimitBytesPerSec": 500000}')
  relay.program.child.kill('SIGHUP')
  await relay.program.stderrMatch(/rate config applied/)
  expect((await limit())['rate_limit_per_client_bytes_per_second']).toBe(500_000)
  // More than a second's worth, so that it is throttled even if read slowly.
  for (let n = 0; n < 10; n++) client.sendBytes(encodeFrame(0xee as FrameType, new Uint8Array(65_000)))
  await client.sync()
  expect((await limit())['rate_limit_per_client_waited']).toBeGreaterThan(0)

  file('rate.json', '{"Rate": 1}')
  relay.program.child.kill('SIGHUP')
  await relay.program.stderrMatch(/rate config kept/)
  expect((await limit())['rate_limit_per_client_bytes_per_second']).toBe(500_000)
  target.closeAll()
  await relay.stop()
  expect(await refused('-dev', '-rate-config', config)).toContain('"Rate" is none of its fields')
})

test('derper sends health frames and pings, and disconnects slow clients, by its flags (P-092, P-095, P-101)', async () => {
  const relay = await startOurRelay(['-health-frames', '-ping-clients', '50ms', '-tcp-write-timeout', '300ms'])
  const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours' })
  const privateKey = NodePrivateKey.generate()
  const first = await target.login({ privateKey, info: { canAckPings: true } })
  await first.messageOf('ping')
  await target.login({ privateKey })
  expect((await first.messageOf('health')).problem).toContain('more than once')

  const [sender, blocked] = [await target.login(), await target.login()]
  blocked.conn.pause()
  const flood = setInterval(() => {
    for (let n = 0; n < 20; n++) sender.packet(blocked.publicKey, new Uint8Array(60_000))
  }, 10)
  const timeouts = async () => ((await target.vars())['derp'] as Record<string, unknown>)['sclient_write_timeouts']
  await expect.poll(timeouts).toBe(1)
  clearInterval(flood)
  target.closeAll()
  await relay.stop()
})

test('derper -derp=false serves everything but DERP (P-167)', async () => {
  const program = await derper('-dev', '-derp=false', '-a', '127.0.0.1:0', '-stun=false')
  const { address: at, relay } = await served(program)
  expect(relay).toBe(undefined)
  const answer = await fetch(`http://${at}/derp`)
  expect([answer.status, await answer.text()]).toEqual([404, 'derp server disabled\n'])
  const client = new Client(NodePrivateKey.generate(), `http://${at}/derp`)
  await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_UPGRADE_REFUSED' })
  await client.close()
  await program.stop()
})

test('derper -log-level omits lower levels', async () => {
  const lines = async (...flags: string[]) => {
    const port = await freePort()
    const program = await derper('-a', `127.0.0.1:${port}`, '-c', join(directory, 'log.key'), '-stun=false', ...flags)
    await untilAnswering(port)
    await program.stop()
    return program.stderr
  }
  // An open relay logs a warning.
  expect(await lines('-log-level', 'warn')).toMatch(
    /^\{"level":"warn",.*"msg":"anyone who reaches this relay can use it;/,
  )
  expect(await lines('-log-level', 'error')).toBe('')
})
