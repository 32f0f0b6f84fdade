/** Two relays of a region behind HAProxy as in deploy/region: one name for clients, and a name of each relay. */

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { introduceEachOther } from '../conformance/region/flows.ts'
import { commandPath } from '../support/commands.ts'
import { ROOT, readText } from '../support/deploy-files.ts'
import { hasGo } from '../support/go-tools.ts'
import { type NatsServer, startNatsServer } from '../support/nats-server.ts'
import { type Program, startProgram } from '../support/process.ts'
import { hasProxy } from '../support/proxies.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { freePort, untilListening } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'
import { TestCa } from '../support/test-ca.ts'

const NAME = 'relay.example.com'
const OWN_NAMES = ['relay1.example.com', 'relay2.example.com'] as const
/** HAProxy connects from there: the only address that may send PROXY headers. */
const PROXY_ADDRESS = '127.0.0.9'
const CLIENTS = 6

describe.skipIf(!hasGo || !hasProxy('haproxy'))('a region behind HAProxy', () => {
  const directory = mkdtempSync(join(tmpdir(), 'region-haproxy-'))
  const at = (name: string) => join(directory, name)
  const relays: Program[] = []
  const clients: RawClient[] = []
  let ca: string
  let nats: NatsServer
  let haproxy: Program
  let port: number

  beforeAll(async () => {
    const authority = await TestCa.create()
    ca = authority.certificate
    const { certificate, key } = await authority.issue({ dns: ['localhost', NAME, ...OWN_NAMES] })
    const files = { 'ca.pem': ca, 'localhost.crt': certificate, 'localhost.key': key, 'mesh.key': '5eed'.repeat(16) }
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
    nats = await startNatsServer()
    // Nothing listens at the third.
    const ports = [await freePort(), await freePort(), await freePort()] as const
    relays.push(await startRelay(ports[0]), await startRelay(ports[1]))
    port = await freePort()
    const config = readText('deploy/region/haproxy.cfg')
      .replace('bind :::443 v4v6', `bind 127.0.0.1:${port}`)
      .replace('default-server ', `default-server source ${PROXY_ADDRESS} `)
      .replaceAll(/relay(\d)\.example\.com:8443/g, (_, n: string) => `127.0.0.1:${ports[Number(n) - 1]}`)
    writeFileSync(at('haproxy.cfg'), config)
    haproxy = await startProgram('haproxy', ['-db', '-f', at('haproxy.cfg')])
    await untilListening(port)
    // Until then, a client may be sent from one that is dead to the other.
    await haproxy.stderrMatch(/Server region\/relay3 is DOWN/)
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    await haproxy?.stop()
    await Promise.all(relays.map(relay => relay.stop()))
    await nats?.stop()
    rmSync(directory, { recursive: true })
  })

  async function startRelay(relayPort: number): Promise<Program> {
    const listen = ['-a', `127.0.0.1:${relayPort}`, '-http-port', '-1', '-stun=false', '-c', at(`${relayPort}.json`)]
    const tls = ['-certmode', 'manual', '-certdir', directory, '-hostname', 'localhost']
    const region = ['-region', 'eu', '-nats', nats.url, '-mesh-psk-file', at('mesh.key')]
    const proxy = ['-proxy-protocol', '-trusted-proxies', PROXY_ADDRESS]
    const args = [commandPath('derper'), ...listen, ...tls, ...region, ...proxy, '-drain-time', '0s']
    const program = await startProgram(RUNTIME_PATH, args, { env: { SSL_CERT_FILE: at('ca.pem') } })
    await served(program)
    return program
  }

  /** A client that connects to a name; its relay is known by its key. */
  async function login(servername: string, privateKey?: NodePrivateKey): Promise<{ client: RawClient; relay: string }> {
    const socket = connect({ port, host: '127.0.0.1', servername, ca })
    await once(socket, 'secureConnect')
    const head = `GET /derp HTTP/1.1\r\nHost: ${servername}\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n`
    const { status, body } = await exchange(socket, head)
    if (status !== 101) throw new Error(`upgrade at ${servername}: status ${status}`)
    const client = new RawClient(new NodeConn(socket, body))
    clients.push(client)
    const relay = `${await client.greeting()}`
    await client.login({ ...(privateKey !== undefined && { privateKey }) })
    return { client, relay }
  }

  test('HAProxy accepts the file', () => {
    execFileSync('haproxy', ['-c', '-f', join(ROOT, 'deploy/region/haproxy.cfg')], { stdio: 'pipe' })
  })

  test('clients of the common name are spread over the relays and reach each other (P-308, P-319)', async () => {
    const all: { client: RawClient; relay: string }[] = []
    for (let n = 0; n < CLIENTS; n++) all.push(await login(NAME))
    const [first] = all as [(typeof all)[number]]
    const others = all.filter(({ relay }) => relay !== first.relay)
    expect(others).toHaveLength(CLIENTS / 2)
    for (const { client } of others) await introduceEachOther(first.client, client)
  })

  test('the name of a relay leads to it alone', async () => {
    const keys = new Set<string>()
    for (const name of OWN_NAMES) {
      const { relay } = await login(name)
      expect((await login(name)).relay).toBe(relay)
      keys.add(relay)
    }
    expect(keys.size).toBe(2)
  })

  test('clients of a relay that dies get to the other one at once, and all reach them there (P-304)', async () => {
    const privateKey = NodePrivateKey.generate()
    const [stays, moves] = [await login(OWN_NAMES[1]), await login(OWN_NAMES[0], privateKey)]
    await introduceEachOther(stays.client, moves.client)
    await relays[0]?.stop('SIGKILL')
    await moves.client.closed()
    const moved = await login(NAME, privateKey)
    expect(moved.relay).toBe(stays.relay)
    await introduceEachOther(stays.client, moved.client)
  })
})
