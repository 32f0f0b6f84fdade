import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { checkConfig } from '../../src/cli/derper/check-config.ts'
import { DERPER_FLAGS } from '../../src/cli/derper/derper-flags.ts'
import { readFlags } from '../../src/cli/flag-sources.ts'
import type { NodeClient } from '../../src/client/node/node-client.ts'
import { commandPath } from '../support/commands.ts'
import { hasGo } from '../support/go-tools.ts'
import { createJwtAccount } from '../support/nats-jwt.ts'
import { type NatsServer, startNatsServer } from '../support/nats-server.ts'
import { startProgram } from '../support/process.ts'
import { drainLineOf } from '../support/region.ts'
import {
  REGION_MESH_KEY,
  type RegionRelay,
  startRegionRelay,
  untilMetric,
  untilReadyz,
  untilRelaysMet,
} from '../support/region-relay.ts'
import { exchange, loginAt } from '../support/relay-clients.ts'
import { freePort } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { until } from '../support/settle.ts'
import { startTcpServer } from '../support/socket-server.ts'
import { TestCa } from '../support/test-ca.ts'

const DERPER = commandPath('derper')
const directory = mkdtempSync(join(tmpdir(), 'derper-region-'))
const at = (name: string) => join(directory, name)

beforeAll(async () => {
  const ca = await TestCa.create()
  const { certificate, key } = await ca.issue({ dns: ['relay.test'] })
  const files = { 'mesh.key': `${REGION_MESH_KEY}\n`, 'relay.pem': certificate, 'relay.key': key, words: 'words\n' }
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
})
afterAll(() => rmSync(directory, { recursive: true }))

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const PLAIN = ['-c', at('unmade.key'), '-a', '127.0.0.1:0', '-stun=false']
const MESH = ['-mesh-psk-file', at('mesh.key')]
const REGION = [...PLAIN, ...MESH, '-region', 'eu']
const NATS = [...REGION, '-nats', 'nats://n.test']
const URL_FLAG = ['-region-url', 'https://a.test/derp']

/** What `derper check-config` prints or refuses, without the test's folder. */
async function checked(args: readonly string[]): Promise<string> {
  const { values, given } = await readFlags('derper', DERPER_FLAGS, { args, env: {} })
  const text = await checkConfig(values, given, {}).catch((error: Error) => error.message)
  return text.replaceAll(`${directory}/`, '')
}

const NAME_RULE = 'a name has up to 64 characters, without ".", "*", ">" and blanks; choose another'

test.each<readonly [says: string, args: readonly string[]]>([
  ['set flag -region to "eu": needs NATS servers; set -nats', REGION],
  ['set flag -region to "eu": needs a mesh key; set -mesh-psk-file', [...PLAIN, '-region', 'eu', '-nats', 'nats://a']],
  ...['a.b', 'a*', '>', 'a b', 'a\tb', 'x'.repeat(65)].map(
    name => [`set flag -region to "${name}": ${NAME_RULE}`, [...NATS, '-region', name]] as const,
  ),
  [
    'set flag -region to "eu": -derp=false, so there are no clients; set only one of them',
    [...NATS, ...URL_FLAG, '-derp=false'],
  ],
  [
    'set flag -workers to "2": a relay of a region serves clients on one thread; use -workers 1, and further relays for more cores',
    [...NATS, ...URL_FLAG, '-workers', '2'],
  ],
  [
    'set flag -region to "eu": this relay serves plain HTTP, so the others do not know where to reach it; set -region-url',
    NATS,
  ],
  ...['http://a.test/derp', 'a.test', 'https://u:p@a.test/derp', 'wss://a.test/derp'].map(
    url =>
      [
        `set flag -region-url to "${url}": not an https URL; write https://HOST:PORT/derp`,
        [...NATS, '-region-url', url],
      ] as const,
  ),
  [
    'set flag -nats: server 2 is not a URL of a NATS server; write nats://HOST:PORT',
    [...NATS, ...URL_FLAG, '-nats', 'nats://a,http://u:secret@b'],
  ],
  ['set flag -nats: names no server; write nats://HOST:PORT', [...NATS, ...URL_FLAG, '-nats', ',']],
  [
    'set flag -nats: servers have different users; use one for all',
    [...NATS, ...URL_FLAG, '-nats', 'nats://u:p@a,nats://v:p@b'],
  ],
  [
    'set flag -nats-creds to "words": no user JWT with its seed found; create the file with "nsc generate creds"',
    [...NATS, ...URL_FLAG, '-nats-creds', at('words')],
  ],
  [
    'set flag -nats-tls-ca to "words": no certificate found; it must be PEM',
    [...NATS, ...URL_FLAG, '-nats-tls-ca', at('words')],
  ],
  [
    'set flag -nats-tls-cert to "relay.pem": needs its private key; set -nats-tls-key',
    [...NATS, ...URL_FLAG, '-nats-tls-cert', at('relay.pem')],
  ],
  [
    'set flag -nats-tls-key to "relay.key": needs its certificate; set -nats-tls-cert',
    [...NATS, ...URL_FLAG, '-nats-tls-key', at('relay.key')],
  ],
  [
    'set flag -nats-tls-key to "words": no private key found; it must be PEM, without a passphrase',
    [...NATS, ...URL_FLAG, '-nats-tls-cert', at('relay.pem'), '-nats-tls-key', at('words')],
  ],
])('derper refuses: %s', async (says, args) => {
  expect(await checked(args)).toBe(says)
})

test('derper plans its region without secrets, at its host name and port or where it is told', async () => {
  const served = ['-certmode', 'manual', '-certdir', directory, '-http-port', '-1', '-hostname', '203.0.113.7']
  const nats = [...REGION, ...served, '-a', '127.0.0.1:8443', '-nats', 'nats://u:secret@n.test:4333,tls://u:secret@m']
  const plan = await checked(nats)
  expect(plan).toContain('region:            eu, by NATS at n.test:4333, m, reached at https://203.0.113.7:8443/derp\n')
  expect(await checked([...nats, ...URL_FLAG])).toContain('reached at https://a.test/derp\n')
  expect(await checked([...PLAIN, '-nats', 'nats://a'])).toContain('-nats has no effect: -region is not set')
})

/** Takes any client of NATS, and says how often one has come with its credentials. */
async function startFakeNats() {
  const sockets: Socket[] = []
  let logins = 0
  const server = await startTcpServer(socket => {
    sockets.push(socket)
    socket.write('INFO {"server_id":"X","version":"2.10.0","proto":1,"max_payload":1048576,"nonce":"abc"}\r\n')
    socket.on('data', chunk => {
      const lines = String(chunk).split('\r\n')
      logins += lines.filter(line => line.startsWith('CONNECT') && line.includes('"jwt"')).length
      for (const line of lines) if (line === 'PING') socket.write('PONG\r\n')
    })
  })
  const untilLogins = (count: number) => until(() => logins === count, `login ${count} has come`)
  return { ...server, untilLogins, cut: () => sockets.at(-1)?.destroy() }
}

test('derper serves on and returns to NATS when the file of -nats-creds does not respond any more', async () => {
  await using nats = await startFakeNats()
  const creds = at('relay.creds')
  writeFileSync(creds, createJwtAccount({ publish: ['>'], subscribe: ['>'] }).credentialsOf('relay'))
  const relay = await start(`nats://127.0.0.1:${nats.port}`, ['-nats-creds', creds])
  await nats.untilLogins(1)
  rmSync(creds)
  // Reading it takes for ever.
  execFileSync('mkfifo', [creds])
  nats.cut()
  await nats.untilLogins(2)
  expect(await relay.readyz()).toContain('ready')
})

/** A client that its relay knows. */
async function login({ url }: RegionRelay): Promise<NodeClient> {
  const client = await loginAt(url)
  cleanups.push(() => client.close())
  return client
}

async function startNats(config?: string): Promise<NatsServer> {
  const nats = await startNatsServer(config)
  cleanups.push(() => nats.stop())
  return nats
}

async function start(nats: string, args: readonly string[] = []): Promise<RegionRelay> {
  const relay = await startRegionRelay(nats, args)
  cleanups.push(() => relay.stop())
  return relay
}

describe.skipIf(!hasGo)('derper -region', () => {
  test('relays find each other and their clients; metrics and readiness show it (P-308, P-319)', async () => {
    const nats = await startNats()
    const relays = await Promise.all([start(nats.url), start(nats.url)])
    await untilRelaysMet(relays)
    const [near, far] = relays
    await untilReadyz(near, /^ready\n$/)
    await exchange(await login(near), await login(far))
    expect(await near.metrics('counter_region_searches_ended')).toEqual({ found: 1, nobody: 0, failed: 0 })
    const names = ['joined', 'routes', 'links_up', 'packets_waiting'].map(name => `gauge_region_${name}`)
    expect(await Promise.all(names.map(name => near.metric(name)))).toEqual([1, 1, 1, 0])
    expect(await near.metric('counter_region_packets_forwarded')).toBe(1)
    const [[id, aheadMs] = []] = Object.entries(await near.metrics('gauge_region_clock_ahead_ms'))
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(Math.abs(aheadMs ?? Number.NaN)).toBeLessThan(2_000)
    const page = await (await fetch(new URL('/debug/status', near.url))).text()
    for (const name of ['joined', 'relays', 'links_up', 'routes', 'packets_forwarded'])
      expect(page).toMatch(new RegExp(`<td data-metric="derphttp_region_${name}">1\\b`))
    const [row] = new RegExp(`<td>${id}</td>.*?</tr>`, 's').exec(page) ?? []
    expect(row).toMatch(new RegExp(`<td>${far.url}</td>\\s*<td>up</td>\\s*<td>\\d\\.\\d s ago</td>`))
    await near.stop()
    expect(await drainLineOf(near.program)).toMatchObject({
      packetsReceived: 1,
      packetsForwardedOut: 1,
      packetsDropped: {},
    })
    await untilMetric(far, 'gauge_region_relays', 0)
  })

  test('a relay without NATS serves its clients, is not ready and says why, and joins later (P-318)', async () => {
    const nats = await startNats()
    await nats.kill()
    const relay = await start(nats.url)
    await untilReadyz(
      relay,
      /^not ready\nregion: NATS cannot be used: connect to 127\.0\.0\.1:\d+: nothing listens there \(connection refused\): check host and port, .*\n$/,
    )
    await relay.program.stderrMatch(
      /"reason":"connect to 127\.0\.0\.1:\d+: nothing listens there \(connection refused\): check host and port, [^"]*","msg":"cannot join the region yet"/,
    )
    const client = await login(relay)
    await exchange(client, await login(relay))
    await nats.restart()
    const other = await start(nats.url)
    await untilMetric(relay, 'gauge_region_relays', 1)
    await untilReadyz(relay, /^ready\n$/)
    await exchange(client, await login(other))
    await nats.kill()
    await untilMetric(relay, 'gauge_region_joined', 0)
    await untilReadyz(relay, /^ready\ndegraded: region: NATS cannot be used: /)
  })

  test('a relay whose id another one holds does not start, and says so (P-301)', async () => {
    const nats = await startNats()
    const key = at('same.key')
    const relay = await start(nats.url, ['-c', key])
    const args = ['-dev', '-a', '127.0.0.1:0', '-stun=false', '-region', 'test', '-nats', nats.url, '-c', key]
    const twin = await startProgram(RUNTIME_PATH, [DERPER, ...args], {
      env: { TAILSCALE_DERPER_MESH_KEY: REGION_MESH_KEY },
    })
    cleanups.push(() => twin.stop())
    expect(await twin.exit()).toBe(2)
    const reason = `join region \\"test\\": relay id [0-9a-f]{16} is also that of ${relay.url}: give each relay a private key of its own, with -c`
    expect(twin.stderr).toMatch(new RegExp(reason.replaceAll('\\"', '\\\\"')))
    await untilReadyz(relay, /^ready\n$/)
  })

  test('relays use TLS with a client certificate to NATS', async () => {
    const ca = await TestCa.create()
    const { certificate, key } = await ca.issue({ dns: ['localhost'] })
    const files = { 'nats-ca.pem': ca.certificate, 'nats.pem': certificate, 'nats.key': key }
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
    const pair = `cert_file: "${at('nats.pem')}", key_file: "${at('nats.key')}"`
    const nats = await startNats(`tls { ${pair}, ca_file: "${at('nats-ca.pem')}", verify: true }`)
    const url = `tls://localhost:${nats.port}`
    const pairFlags = ['-nats-tls-cert', at('nats.pem'), '-nats-tls-key', at('nats.key')]
    const relay = await start(url, ['-nats-tls-ca', at('nats-ca.pem'), ...pairFlags])
    await untilReadyz(relay, /^ready\n$/)
    const distrustful = await start(url, pairFlags)
    await untilReadyz(distrustful, /^not ready\nregion: NATS cannot be used: .*certificate/i)
    const unknown = await start(url, ['-nats-tls-ca', at('nats-ca.pem')])
    await untilReadyz(unknown, /^not ready\nregion: NATS cannot be used: /)
  })

  test('a relay that listens on a port it does not announce is not reached, and the log says why (P-319)', async () => {
    const nats = await startNats()
    const wrong = `http://127.0.0.1:${await freePort()}/derp`
    const relays = await Promise.all([start(nats.url), start(nats.url, ['-region-url', wrong])])
    await untilRelaysMet(relays)
    const [near, far] = relays
    const [sender, receiver] = [await login(near), await login(far)]
    await sender.send(receiver.selfPublicKey(), Uint8Array.of(1))
    await near.program.stderrMatch(/"msg":"region link is down"/)
    await untilDropped(near)
  })
})

async function untilDropped(relay: RegionRelay): Promise<void> {
  let dropped = 0
  while (dropped === 0) dropped = (await relay.metrics('counter_region_packets_dropped'))['link_down'] ?? 0
}
