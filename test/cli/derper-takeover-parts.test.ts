/** Upgrades in place of relays with mesh peers, in a region, with certificates of an authority, and under another user. */

import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Client, ResilientClient } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { commandPath } from '../support/commands.ts'
import { hasGo } from '../support/go-tools.ts'
import { expectBalance, LoadedClient } from '../support/loaded-client.ts'
import { startNatsServer } from '../support/nats-server.ts'
import { hasOpenssl, seenChain } from '../support/openssl.ts'
import { Pebble } from '../support/pebble.ts'
import { type Program, startProgram } from '../support/process.ts'
import { type DrainLine, drainLineOf } from '../support/region.ts'
import { REGION_MESH_KEY, relayAt, untilMetric, untilRelaysMet } from '../support/region-relay.ts'
import { exchangeBetween } from '../support/relay-clients.ts'
import { freePort } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { RUNS_ALL } from '../support/selection.ts'
import { served } from '../support/served.ts'
import { TestCa } from '../support/test-ca.ts'

const DERPER = commandPath('derper')
const HOST = '127.0.0.1'
/** IDs without passwd or group entries. */
const [UID, GID] = [54_321, 54_322]
const WORKERS = RUNS_ALL ? ['1', '2'] : ['2']
const isRoot = process.getuid?.() === 0

let directory: string
let programs: Program[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'takeover-'))
  programs = []
})

afterEach(async () => {
  await Promise.all(programs.map(program => program.stop('SIGKILL')))
  rmSync(directory, { recursive: true })
})

const at = (name: string) => join(directory, name)

async function start(flags: readonly string[], env: Record<string, string> = {}): Promise<Program> {
  const program = await startProgram(RUNTIME_PATH, [DERPER, '-stun=false', '-drain-time', '1s', ...flags], { env })
  programs.push(program)
  return program
}

/** A relay that may be taken over, and its successors. */
const upgradable = (name: string) => ['-c', at(`${name}.key`), '-control-socket', at(`${name}.sock`), '-takeover']

/** The second has taken over, and the first has ended well; resolves to its last words. */
async function takenOver(first: Program, second: Program): Promise<DrainLine> {
  await second.stderrMatch(/"msg":"took over: the first derper drains"/)
  expect(await first.exit()).toBe(0)
  return drainLineOf(first)
}

async function issueFor(ca: TestCa, host: string): Promise<void> {
  const { certificate, key } = await ca.issue({ dns: [host] })
  writeFileSync(at(`${host}.crt`), certificate)
  writeFileSync(at(`${host}.key`), key)
}

test.each(WORKERS)(
  'derper with -workers %s that takes over has the mesh links of the first, both ways (P-177)',
  async workers => {
    const ca = await TestCa.create()
    writeFileSync(at('ca.pem'), ca.certificate)
    writeFileSync(at('mesh'), `${'5a'.repeat(32)}\n`)
    await issueFor(ca, 'localhost')
    const [ports, metrics] = [
      [await freePort(), await freePort()] as const,
      [await freePort(), await freePort()] as const,
    ]
    const mesh = ['-mesh-psk-file', at('mesh'), '-mesh-with', ports.map(port => `localhost:${port}/${HOST}`).join(',')]
    const tls = ['-hostname', 'localhost', '-certmode', 'manual', '-certdir', directory, '-http-port=-1']
    const flagsOf = (n: 0 | 1) => {
      const listen = ['-a', `${HOST}:${ports[n]}`, '-metrics-addr', `${HOST}:${metrics[n]}`]
      return [...upgradable(`relay${n}`), ...listen, ...tls, ...mesh, '-workers', workers]
    }
    const env = { NODE_EXTRA_CA_CERTS: at('ca.pem') }
    const linksUp = async (n: 0 | 1) => {
      const response = await fetch(`http://${HOST}:${metrics[n]}/metrics`)
      return /^derphttp_mesh_links_up (\d+)$/m.exec(await response.text())?.[1]
    }
    const [first, peer] = [await start(flagsOf(0), env), await start(flagsOf(1), env)]
    await Promise.all([served(first), served(peer)])
    await expect.poll(async () => [await linksUp(0), await linksUp(1)]).toEqual(['1', '1'])
    const clients = ports.map(port => {
      const key = NodePrivateKey.generate()
      const url = `https://localhost:${port}/derp`
      const createClient = (target: string | URL) =>
        new Client(key, String(target), { tlsConfig: { ca: ca.certificate } })
      const client = new ResilientClient<string | URL>({
        targets: [url],
        healthyAfterMs: 0,
        sendWaitMs: 0,
        createClient,
      })
      return new LoadedClient(key.publicKey(), client)
    }) as [LoadedClient, LoadedClient]
    const [here, there] = clients
    for (const client of clients) await client.connect()
    here.sendTo(there.publicKey)
    there.sendTo(here.publicKey)
    const hear = async (more: number) => {
      const wanted = clients.map(({ received }) => received + more)
      await expect.poll(() => clients.every(({ received }, n) => received >= (wanted[n] ?? 0))).toBe(true)
    }
    await hear(20)
    const second = await start(flagsOf(0), env)
    const words = await takenOver(first, second)
    expectBalance(words)
    // A client and the peer.
    expect(words).toMatchObject({ moved: 2, cut: 0 })
    // What the first gave to its link is at the peer, and the reverse, and both links are there again.
    await hear(20)
    await expect.poll(async () => [await linksUp(0), await linksUp(1)]).toEqual(['1', '1'])
    await Promise.all(clients.map(client => client.stopSending()))
    await Promise.all(clients.map(client => client.close()))
  },
)

test.skipIf(!hasGo)('derper that takes over joins the region under the id of the first (P-177, P-301)', async () => {
  const nats = await startNatsServer()
  const env = { TAILSCALE_DERPER_MESH_KEY: REGION_MESH_KEY }
  const region = ['-dev', '-region', 'test', '-nats', nats.url]
  const port = await freePort()
  const flags = [...upgradable('relay'), ...region, '-a', `${HOST}:${port}`]
  const regionRelay = async (program: Program) => {
    const said = await served(program)
    return relayAt({ url: `http://${HOST}:${said.port}/derp`, port: said.port, program, stop: () => program.stop() })
  }
  const first = await regionRelay(await start(flags, env))
  const peer = await regionRelay(await start([...region, '-a', `${HOST}:0`], env))
  await untilRelaysMet([first, peer])
  await exchangeBetween(first.url, peer.url)
  const second = await start(flags, env)
  await takenOver(first.program, second)
  const relay = await regionRelay(second)
  await untilMetric(relay, 'gauge_region_joined', 1)
  await untilRelaysMet([relay, peer])
  await exchangeBetween(relay.url, peer.url)
  expect(second.stderr).not.toMatch(/"level":"(?:warn|error)".*region/)
  await nats.stop()
})

test.skipIf(!hasGo || !hasOpenssl).each(WORKERS)(
  'derper with -workers %s that takes over serves the certificate that the first has stored, and orders none (P-177)',
  async workers => {
    const [tlsPort, httpPort] = [await freePort(), await freePort()]
    const pebble = await Pebble.start({ tlsPort, httpPort })
    writeFileSync(at('directory.pem'), pebble.directoryCa)
    writeFileSync(at('root.pem'), await pebble.rootCertificate())
    const authority = ['-acme-directory', pebble.directoryUrl, '-acme-ca-file', at('directory.pem')]
    const names = ['-hostname', 'relay.test', '-certdir', directory, '-tls', '-acme-profile', 'default']
    const listen = ['-a', `${HOST}:${tlsPort}`, '-http-port', `${httpPort}`]
    const flags = [...upgradable('relay'), ...listen, ...names, ...authority, '-workers', workers]
    const first = await start(flags)
    await first.stderrMatch(/"msg":"certificate obtained"/)
    const before = await seenChain(tlsPort, at('root.pem'), 'relay.test')
    const second = await start(flags)
    await takenOver(first, second)
    expect(await seenChain(tlsPort, at('root.pem'), 'relay.test')).toEqual(before)
    expect(before.verified).toBe('0 (ok)')
    await second.stderrMatch(/"msg":"certificate loaded"/)
    expect(second.stderr).not.toContain('"msg":"certificate obtained"')
    // One order was made in all.
    expect(pebble.program.stdout.match(/Issued certificate/g)).toHaveLength(1)
    expect(readdirSync(directory)).toContain('acme_account+key')
    await pebble.stop()
  },
)

test.skipIf(!isRoot).each(WORKERS)(
  'derper with -workers %s takes over under -user and -group, once and again (P-177)',
  async workers => {
    // The socket's folder is the user's, as -control-socket asks for.
    chmodSync(directory, 0o777)
    const port = await freePort()
    const account = ['-user', String(UID), '-group', String(GID)]
    const flags = [...upgradable('relay'), '-dev', '-a', `${HOST}:${port}`, ...account, '-workers', workers]
    let first = await start(flags)
    await served(first)
    for (let n = 0; n < 2; n++) {
      const second = await start(flags)
      await takenOver(first, second)
      await served(second)
      await exchangeBetween(`http://${HOST}:${port}/derp`, `http://${HOST}:${port}/derp`)
      first = second
    }
    await first.stop()
    expect(readdirSync(directory)).not.toContain('relay.sock')
  },
)
