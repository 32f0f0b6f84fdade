import { expect, test } from 'vitest'
import { DebugSecrets } from '../../daemon/debug/debug-secrets.ts'
import { relayOptions } from '../../daemon/relay-options.ts'
import { workerKeys, workerSettings } from '../../daemon/workers/worker-settings.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { parseFlags } from '../go-flags.ts'
import { DERPER_FLAGS } from './derper-flags.ts'
import { readSettings } from './derper-settings.ts'
import { requestBudget } from './descriptor-budget.ts'

const MESH_KEY = '0123456789abcdef'.repeat(4)
const ENV = { TS_ALLOW_DEBUG_IP: '192.0.2.1', TAILSCALE_DERPER_MESH_KEY: MESH_KEY }

async function settingsOf(args: readonly string[], env: NodeJS.ProcessEnv = ENV) {
  const flags = parseFlags(DERPER_FLAGS, args)
  if (flags.help) throw new Error('unexpected -help')
  return readSettings(flags.values, flags.given, env)
}

test('a worker gets all settings of relay, listeners and pages, and no others', async () => {
  const serving = ['-dev', '-a', '127.0.0.1:0', '-tls', '-hostname', 'relay.test', '-certdir', '/nowhere']
  const proxies = ['-trusted-proxies', '192.0.2.7', '-proxy-protocol']
  const others = ['-max-clients', '9', '-home', 'blank', '-ping-clients', '5s', '-health-frames']
  const settings = await settingsOf([...serving, ...proxies, ...others])
  const { relay, listen, debug, pages, mesh } = settings
  const privateKey = NodePrivateKey.generate()
  const sent = structuredClone(workerSettings(settings, privateKey))
  expect(pages).toEqual({ address: { hostname: 'relay.test', stunPort: 3478, canPort80: true }, demo: true })
  expect(sent).toEqual({ relay, listen, debug, pages, privateKey: privateKey.exportText(), meshKey: MESH_KEY })
  const keys = workerKeys(sent)
  expect([keys.privateKey.equals(privateKey), keys.meshKey?.exportText()]).toEqual([true, MESH_KEY])
  const secrets = new DebugSecrets(debug)
  const here = relayOptions(settings, { privateKey, meshKey: mesh.key, secrets })
  expect(here).toMatchObject({
    home: 'blank',
    maxClients: 9,
    pingClientsMs: 5_000,
    tellHealth: true,
    trustedProxies: ['192.0.2.7'],
    debug: { tlsHostname: 'relay.test', hintsAtAccess: true, access: { allowAddress: '192.0.2.1' } },
  })
})

test('a worker of a relay without a mesh key has none', async () => {
  const settings = await settingsOf(['-dev'], {})
  const sent = structuredClone(workerSettings(settings, NodePrivateKey.generate()))
  expect(workerKeys(sent).meshKey).toBeUndefined()
})

test.each([
  [['-a=:8080'], true],
  [['-a=:8080', '-tokens-file=/dev/null'], false],
  [['-a=:8080', '-derp=false'], false],
])('readSettings of %j has no demo, and warns that the relay is open: %s', async (args, isOpen) => {
  const { notes, pages } = await settingsOf([...args, '-c=/nonexistent'])
  expect(pages.demo).toBe(false)
  expect(notes.some(note => note.includes('anyone who reaches this relay can use it'))).toBe(isOpen)
})

test('readSettings by default bounds requests for admission, clients of mesh peers, and TLS records (P-040, P-078, P-156)', async () => {
  const { outbound, mesh, listen } = await settingsOf(['-a=:8080', '-c=/nonexistent'])
  expect(outbound.requests).toEqual({ maxRequests: requestBudget(1), patienceMs: 10_000 })
  expect([mesh.maxClients, listen.tlsRecordBytes]).toEqual([500_000, 4_096])
})

test.each([
  [['-hostname=relay.test'], '-hostname has'],
  [['-hostname=relay.test', '-certdir=/certs'], '-certdir, -hostname have'],
  [['-tls-record-bytes=0', '-acme-email=me@relay.test'], '-acme-email, -tls-record-bytes have'],
])('readSettings of %j without TLS warns, and says how to get it', async (args, unused) => {
  const { notes, tls } = await settingsOf(['-a=:8443', '-derp=false', '-c=/nonexistent', ...args])
  expect(tls).toBeUndefined()
  expect(notes).toEqual([
    `${unused} no effect: plain HTTP is served, as -a is not on port 443; for TLS set -tls, or -certmode manual`,
  ])
})
