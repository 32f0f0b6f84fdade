import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/entries/derphttp.ts'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { startProgram } from '../support/process.ts'
import { freePort, startOurRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { listenOnLoopback } from '../support/socket-server.ts'
import { TestCa } from '../support/test-ca.ts'

let directory: string
let server: ReturnType<typeof createServer>
/** Received requests: their TLS connections were trusted. */
const received: string[] = []
const at = (name: string) => join(directory, name)

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'derper-trust-'))
  const ca = await TestCa.create()
  writeFileSync(at('ca.pem'), ca.certificate)
  writeFileSync(at('mesh.key'), '0123456789abcdef'.repeat(4))
  const { certificate, key } = await ca.issue({ dns: ['localhost', 'private.test'] })
  server = createServer({ cert: certificate, key })
  const note = ({ method, url }: IncomingMessage) => received.push(`${method} ${url}`)
  server.on('request', (request: IncomingMessage, response) => {
    note(request)
    response.end(request.url === '/map' ? '{"Regions":{}}' : '{"Allow":false}')
  })
  server.on('upgrade', (request: IncomingMessage, socket) => {
    note(request)
    socket.destroy()
  })
})
afterAll(() => rmSync(directory, { recursive: true }))

test.each([
  ['SSL_CERT_FILE', () => at('ca.pem')],
  ['SSL_CERT_DIR', () => `/nonexistent:${directory}`],
])('derper trusts the CAs of %s: what the admission URL behind them refuses stays out (P-040)', async (name, value) => {
  await using listening = await listenOnLoopback(server)
  const relay = await startOurRelay(['-verify-client-url', `https://localhost:${listening.port}/verify`], {
    [name]: value(),
  })
  const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours' })
  await expect(target.login({ privateKey: NodePrivateKey.generate() })).rejects.toThrow()
  target.closeAll()
  await relay.stop()
})

test('derper trusts the CAs of SSL_CERT_FILE for mesh links and the ACME directory', async () => {
  await using listening = await listenOnLoopback(server)
  const origin = `localhost:${listening.port}`
  received.length = 0
  const mesh = ['-mesh-psk-file', at('mesh.key'), '-mesh-with', origin]
  const tls = [
    '-tls',
    '-hostname',
    'relay.test',
    '-certdir',
    at('certs'),
    '-acme-directory',
    `https://${origin}/directory`,
  ]
  const listen = ['-a', '127.0.0.1:0', '-http-port', '-1', '-stun=false', '-c', at('derper.key')]
  const program = await startProgram(RUNTIME_PATH, [commandPath('derper'), ...listen, ...mesh, ...tls], {
    env: { SSL_CERT_FILE: at('ca.pem') },
  })
  await expect.poll(() => [...new Set(received)].toSorted()).toEqual(['GET /derp', 'GET /directory'])
  await program.stop()
})

test('derper uses HTTPS_PROXY for the admission URL, mesh links and the ACME directory', async () => {
  await using listening = await listenOnLoopback(server)
  await using proxy = await startConnectProxy()
  const origin = `private.test:${listening.port}`
  received.length = 0
  const mesh = ['-mesh-psk-file', at('mesh.key'), '-mesh-with', origin]
  const acme = ['-certdir', at('proxied'), '-acme-directory', `https://${origin}/directory`]
  const flags = [...mesh, ...acme, '-tls', '-hostname', 'relay.test', '-verify-client-url', `https://${origin}/verify`]
  const listen = ['-a', '127.0.0.1:0', '-http-port', '-1', '-stun=false', '-c', at('proxied.key')]
  const program = await startProgram(RUNTIME_PATH, [commandPath('derper'), ...listen, ...flags], {
    env: { SSL_CERT_FILE: at('ca.pem'), HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: '' },
  })
  const paths = ['GET /derp', 'GET /directory', 'POST /verify']
  await expect.poll(() => [...new Set(received)].toSorted()).toEqual(paths)
  expect(new Set(proxy.targets)).toEqual(new Set([origin]))
  await program.stop()
})

test('derper and check-config report the effect of an unreachable admission URL at startup', async () => {
  const url = `http://127.0.0.1:${await freePort()}/verify`
  const relay = await startOurRelay(['-verify-client-url', url])
  await relay.program.stderrMatch(/^(?=.*admission backend unreachable).*until it responds, it refuses nobody/m)
  await relay.stop()

  const check = ['check-config', '-dev', '-verify-client-url', url, '-verify-client-url-fail-open=false']
  const checked = await startProgram(RUNTIME_PATH, [commandPath('derper'), ...check])
  const warning = await checked.lineWhere(line => (line.startsWith('  warning: ') ? line : undefined))
  expect(warning).toContain('nothing listens there')
  expect(warning).toContain('until it responds, it admits nobody')
  expect(await checked.exit()).toBe(0)
})

test('check-config asks the admission URL with the CAs of SSL_CERT_FILE', async () => {
  await using listening = await listenOnLoopback(server)
  const check = ['check-config', '-dev', '-verify-client-url', `https://localhost:${listening.port}/verify`]
  const warningsOf = async (env: Record<string, string>) => {
    const program = await startProgram(RUNTIME_PATH, [commandPath('derper'), ...check], { env })
    expect(await program.exit()).toBe(0)
    return program.stdout.split('\n').filter(line => line.startsWith('  warning: '))
  }
  expect(await warningsOf({ SSL_CERT_FILE: at('ca.pem') })).toEqual([])
  expect(await warningsOf({})).toEqual([expect.stringContaining('no trusted authority has signed the certificate')])
})

test('derper names a variable for CAs that cannot be read', async () => {
  const relay = await startOurRelay([], { SSL_CERT_FILE: at('missing.pem') })
  await relay.program.stderrMatch(/variable SSL_CERT_FILE names .*missing\.pem/)
  await relay.stop()
})

test('derp trusts the CAs in SSL_CERT_FILE and uses HTTPS_PROXY', async () => {
  await using listening = await listenOnLoopback(server)
  await using proxy = await startConnectProxy()
  const env = { SSL_CERT_FILE: at('ca.pem'), HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: '' }
  const run = (...args: string[]) => startProgram(RUNTIME_PATH, [commandPath('derp'), ...args], { env })
  const origin = `private.test:${listening.port}`
  received.length = 0
  const show = await run('map', 'show', `https://${origin}/map`)
  expect([await show.exit(), show.stderr]).toEqual([0, ''])
  const cat = await run('cat', `https://${origin}/derp`)
  expect(await cat.exit()).toBe(1)
  expect(received).toEqual(['GET /map', 'GET /derp'])
  expect(proxy.targets).toEqual([origin, origin])
})
