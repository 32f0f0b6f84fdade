import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/entries/derphttp.ts'
import type { ClientInfo } from '../../src/protocol/client-info.ts'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { startProgram } from '../support/process.ts'
import { type RunningRelay, startOurRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'
import { listenOnLoopback } from '../support/socket-server.ts'

const DERPER = commandPath('derper')
const MESH_KEY = '0123456789abcdef'.repeat(4)
const TOKEN = 'own-client-token-0123456789'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'derper-access-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

/** Whether the relay admits a client. */
async function isLetIn(
  relay: RunningRelay,
  privateKey: NodePrivateKey,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly info?: Partial<ClientInfo> } = {},
): Promise<boolean> {
  const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours' })
  try {
    await target.login({ privateKey, ...options })
    return true
  } catch {
    return false
  } finally {
    target.closeAll()
  }
}

async function refused(...args: string[]): Promise<string> {
  const program = await startProgram(RUNTIME_PATH, [DERPER, '-dev', ...args])
  expect(await program.exit()).toBe(2)
  return program.stderr
}

test('derper admits clients by lists and tokens, and reloads these on SIGHUP (P-040)', async () => {
  const [listed, denied, other] = [NodePrivateKey.generate(), NodePrivateKey.generate(), NodePrivateKey.generate()]
  const keys = (...of: NodePrivateKey[]) => of.map(key => `${key.publicKey()}\n`).join('')
  const allow = file('allow', keys(listed, denied))
  const lists = ['-allow-keys-file', allow, '-deny-keys-file', file('deny', keys(denied))]
  const relay = await startOurRelay([...lists, '-tokens-file', file('tokens', `phone ${TOKEN}\n`)])
  expect(await isLetIn(relay, listed)).toBe(true)
  expect(await isLetIn(relay, denied)).toBe(false)
  expect(await isLetIn(relay, other)).toBe(false)
  expect(await isLetIn(relay, other, { headers: { Authorization: `Bearer ${TOKEN}` } })).toBe(true)

  file('allow', keys(listed, other))
  relay.program.child.kill('SIGHUP')
  await expect.poll(() => isLetIn(relay, other)).toBe(true)
  await relay.stop()
  expect(await refused('-allow-keys-file', file('bad', 'nonsense\n'))).toContain(join(directory, 'bad'))
})

test('derper asks the admission URL, and follows -verify-client-url-fail-open when it is unreachable (P-040)', async () => {
  const [welcome, unwanted] = [NodePrivateKey.generate(), NodePrivateKey.generate()]
  const controller = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => {
      response.end(JSON.stringify({ Allow: JSON.parse(body).NodePublic === welcome.publicKey().toString() }))
    })
  })
  const listening = await listenOnLoopback(controller)
  const url = ['-verify-client-url', `http://127.0.0.1:${listening.port}/`]
  const open = await startOurRelay(url)
  const closed = await startOurRelay([...url, '-verify-client-url-fail-open=false', '-admission-memory', '1h'])
  for (const relay of [open, closed]) {
    expect(await isLetIn(relay, welcome)).toBe(true)
    expect(await isLetIn(relay, unwanted)).toBe(false)
  }
  await listening[Symbol.asyncDispose]()
  expect(await isLetIn(open, unwanted)).toBe(true)
  expect(await isLetIn(closed, unwanted)).toBe(false)
  expect(await isLetIn(closed, welcome)).toBe(true)
  await Promise.all([open.stop(), closed.stop()])
})

test('derper never admits a client for lack of descriptors, even with many concurrent logins (P-040)', async () => {
  const controller = createServer((_, response) => void setTimeout(() => response.end('{"Allow":false}'), 20))
  await using listening = await listenOnLoopback(controller)
  const flags = [
    '-dev',
    '-a',
    '127.0.0.1:0',
    '-stun=false',
    '-verify-client-url',
    `http://127.0.0.1:${listening.port}/`,
  ]
  const limited = ['-c', 'ulimit -n 256 && exec "$0" "$@"', RUNTIME_PATH, DERPER, ...flags]
  const program = await startProgram('bash', limited)
  const { port } = await served(program)
  const target = new Target({ url: `http://127.0.0.1:${port}/derp`, carriage: 'raw', like: 'ours' })
  // As many as fit, up to the greeting.
  const clients = await Promise.all(Array.from({ length: 180 }, () => target.connect()))
  await Promise.all(clients.map(client => client.greeting()))
  const hellos = await Promise.all(clients.map(client => client.hello()))
  for (const [at, hello] of hellos.entries()) clients[at]?.sendBytes(hello)
  const admitted = await Promise.all(
    clients.map(client =>
      client.serverInfo().then(
        () => true,
        () => false,
      ),
    ),
  )
  expect(admitted.filter(isAdmitted => isAdmitted)).toEqual([])
  target.closeAll()
  await program.stop()
}, 120_000)

test('derper -verify-clients asks tailscaled at -socket (P-040)', async () => {
  const known = NodePrivateKey.generate()
  const socket = join(directory, 'tailscaled.sock')
  const daemon = createServer((request, response) => {
    const key = new URL(request.url ?? '', 'http://daemon').searchParams.get('addr')
    if (key === null || key === known.publicKey().toString()) response.end('{"BackendState":"Running"}')
    else response.writeHead(404).end()
  })
  await new Promise<void>(resolve => daemon.listen(socket, resolve))
  const relay = await startOurRelay(['-verify-clients', '-socket', socket])
  expect(await isLetIn(relay, known)).toBe(true)
  expect(await isLetIn(relay, NodePrivateKey.generate())).toBe(false)
  await relay.stop()
  await new Promise(resolve => daemon.close(resolve))
})

test('derper and check-config say that nobody is admitted while tailscaled does not respond at -socket (P-040)', async () => {
  const flags = ['-verify-clients', '-socket', join(directory, 'nobody.sock')]
  const relay = await startOurRelay(flags)
  await relay.program.stderrMatch(/^(?=.*admission backend unreachable).*until it responds, it admits nobody/m)
  expect(await isLetIn(relay, NodePrivateKey.generate())).toBe(false)
  await relay.stop()

  const checked = await startProgram(RUNTIME_PATH, [DERPER, 'check-config', '-dev', ...flags])
  const warning = await checked.lineWhere(line => (line.startsWith('  warning: ') ? line : undefined))
  expect(warning).toContain('nobody.sock')
  expect(warning).toContain('until it responds, it admits nobody')
  expect(await checked.exit()).toBe(0)
})

test('derper serves the names of its flags at /bootstrap-dns (P-164)', async () => {
  const relay = await startOurRelay(['-bootstrap-dns-names', '127.0.0.1', '-unpublished-bootstrap-dns-names', '::1'])
  const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours' })
  const answer = async (query = '') => (await target.http(`/bootstrap-dns${query}`)).body
  await expect.poll(async () => String(await answer())).toContain('"127.0.0.1"')
  expect(JSON.parse(String(await answer()))).toEqual({ '127.0.0.1': ['127.0.0.1'] })
  expect(JSON.parse(String(await answer('?q=::1')))).toEqual({ '::1': ['::1'] })
  await relay.stop()
})

test('derper -disallow-app-names refuses clients with these names, and counts them (P-040)', async () => {
  const relay = await startOurRelay(['-disallow-app-names', 'old app,older'])
  const key = NodePrivateKey.generate()
  expect(await isLetIn(relay, key, { info: { appName: 'old app' } })).toBe(false)
  expect(await isLetIn(relay, key, { info: { appName: 'app' } })).toBe(true)
  expect(await isLetIn(relay, key)).toBe(true)
  const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours' })
  const own = (await target.vars())['derphttp'] as Record<string, unknown>
  expect(own['counter_admission_denied']).toMatchObject({ app_name_denied: 1 })
  await relay.stop()
})

test('derper -mesh-with links to mesh peers, and needs a mesh key (P-078)', async () => {
  const meshKey = file('mesh.key', `${MESH_KEY}\n`)
  // Nothing listens there: the link stays down, is counted, and does not block shutdown.
  const relay = await startOurRelay(['-mesh-psk-file', meshKey, '-mesh-with', 'sibling.test:9/127.0.0.1'])
  const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours' })
  const own = (await target.vars())['derphttp'] as Record<string, unknown>
  expect(own).toMatchObject({ gauge_mesh_links: 1, gauge_mesh_links_up: 0 })
  await relay.stop()
  expect(await refused('-mesh-with', 'sibling.test')).toContain('needs a mesh key; set -mesh-psk-file')
  expect(await refused('-mesh-psk-file', meshKey, '-mesh-with', 'a/b/c')).toContain('more than one slash')
})
