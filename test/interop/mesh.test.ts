import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NodeClient } from '../../src/client/node/node-client.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { Mesh } from '../../src/mesh/mesh.ts'
import { parseMeshWith } from '../../src/mesh/mesh-target.ts'
import { goTools, hasGo } from '../support/go-tools.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { type Program, startProgram } from '../support/process.ts'
import { nextMessage } from '../support/relay.ts'
import { freePort, untilListening } from '../support/relays.ts'
import { until } from '../support/settle.ts'
import { StockClients } from '../support/stock-client.ts'
import { TestCa } from '../support/test-ca.ts'

const MESH_KEY = '0123456789abcdef'.repeat(4)
/** Names that are not in DNS: both sides must dial elsewhere. */
const [OURS, STOCK] = ['ours.test', 'stock.test']

describe.skipIf(!hasGo)('mesh of our relay and stock derper, over TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'mesh-'))
  const caFile = join(directory, 'ca.pem')
  const stockKey = NodePrivateKey.generate()
  let ca: TestCa
  let ours: ListeningRelay
  let mesh: Mesh
  let stockPort: number
  let stock: Program | undefined
  let clients: StockClients

  beforeAll(async () => {
    ca = await TestCa.create()
    const issued = await ca.issue({ dns: [STOCK] })
    writeFileSync(caFile, ca.certificate)
    writeFileSync(join(directory, `${STOCK}.crt`), issued.certificate)
    writeFileSync(join(directory, `${STOCK}.key`), issued.key)
    writeFileSync(join(directory, 'mesh.key'), `${MESH_KEY}\n`)
    writeFileSync(join(directory, 'derper.key'), JSON.stringify({ PrivateKey: stockKey.exportText() }))
    ours = await ListeningRelay.start({
      meshKey: MeshKey.parse(MESH_KEY),
      tls: { hostname: OURS, certificate: await ca.issue({ dns: [OURS] }) },
    })
    stockPort = await freePort()
    stock = await startStock()
    clients = await StockClients.start({ SSL_CERT_FILE: caFile })
    // Our relay is in its own list, as operators give all mesh peers the same one.
    const targets = parseMeshWith(`${STOCK}:${stockPort}/127.0.0.1,${OURS}:${ours.port}/localhost`)
    mesh = new Mesh(ours.relay.core, targets, { tlsConfig: { ca: ca.certificate } })
    mesh.start()
    await until(() => states().join() === 'up,self', 'the links are up')
  })
  afterAll(async () => {
    await mesh?.stop()
    await Promise.all([clients?.stop(), stock?.stop(), ours?.[Symbol.asyncDispose]()])
    rmSync(directory, { recursive: true })
  })

  async function startStock(): Promise<Program> {
    const { derper } = await goTools()
    const files = ['-c', join(directory, 'derper.key'), '-mesh-psk-file', join(directory, 'mesh.key')]
    const tls = ['-certmode', 'manual', '-certdir', directory, '-hostname', STOCK, '-http-port', '-1', '-stun=false']
    const meshPeers = ['-mesh-with', `${OURS}:${ours.port}/127.0.0.1,${STOCK}:${stockPort}/127.0.0.1`]
    const listen = ['-a', `127.0.0.1:${stockPort}`]
    const env = { SSL_CERT_FILE: caFile }
    const program = await startProgram(derper, [...listen, ...files, ...tls, ...meshPeers], { env })
    await untilListening(stockPort)
    return program
  }

  const states = () => mesh.snapshot().map(({ state }) => state)

  /** Our client at one of the relays. */
  async function ourClient(host: string, port: number): Promise<NodeClient> {
    const tlsConfig = { ca: ca.certificate, servername: host }
    const client = new NodeClient(NodePrivateKey.generate(), `https://127.0.0.1:${port}/derp`, { tlsConfig })
    await nextMessage(client, 'serverInfo')
    return client
  }

  /** A receiving stock client at stock derper. */
  async function stockClient(name: string): Promise<NodePublicKey> {
    const node = { Name: '1a', RegionID: 1, HostName: STOCK, IPv4: '127.0.0.1', IPv6: 'none', DERPPort: stockPort }
    const region = { RegionID: 1, RegionCode: 'test', RegionName: 'test', Nodes: [node] }
    return NodePublicKey.parse(await clients.login(name, { region }))
  }

  /** Sends until one arrives, as presence takes an unspecified time to reach the mesh peer. */
  async function sendUntilHere(from: NodeClient, to: NodeClient): Promise<void> {
    const arrived = nextMessage(to, 'receivedPacket')
    let isHere = false
    const noted = arrived.then(() => {
      isHere = true
    })
    while (!isHere) {
      await from.send(to.selfPublicKey(), Uint8Array.of(0))
      await Promise.race([noted, new Promise(resolve => setTimeout(resolve, 20))])
    }
    expect((await arrived).source.equals(from.selfPublicKey())).toBe(true)
  }

  test('packets cross both ways intact, and departures are reported (P-062, P-072, P-078)', async () => {
    const near = await ourClient(OURS, ours.port)
    const far = await ourClient(STOCK, stockPort)
    await sendUntilHere(near, far)
    await sendUntilHere(far, near)
    const peer = await stockClient('peer')
    await until(() => ours.relay.core.routes.has(peer), 'our relay knows the stock client')
    for (const size of [0, 1, 1_400, 65_536]) {
      const data = new Uint8Array(size).fill(size & 255)
      await near.send(peer, data)
      const event = await clients.event('peer', line => line.type === 'receivedPacket')
      expect(event['source']).toBe(String(near.selfPublicKey()))
      expect(Buffer.from(event['dataBase64'] as string, 'base64').equals(data)).toBe(true)
      await clients.ask('send', 'peer', {
        to: String(near.selfPublicKey()),
        dataBase64: Buffer.from(data).toString('base64'),
      })
      const message = await nextMessage(near, 'receivedPacket')
      expect(message.source.equals(peer)).toBe(true)
      expect(Buffer.compare(message.data, data)).toBe(0)
    }
    await clients.ask('close', 'peer')
    expect(await nextMessage(near, 'peerGone')).toMatchObject({ peer, reason: 0 })
    await Promise.all([near.close(), far.close()])
  })

  test('a link from each relay to itself was closed (P-078, P-217)', async () => {
    expect(mesh.snapshot().map(({ host, state, peers }) => [host, state, peers > 0])).toEqual([
      [`${STOCK}:${stockPort}`, 'up', true],
      [`${OURS}:${ours.port}`, 'self', false],
    ])
    await stock?.stderrMatch(/detected self-connect; ignoring host/)
  })

  test('a restarted stock derper is linked again (P-078, P-215)', async () => {
    await stock?.stop()
    await until(() => states()[0] === 'connecting', 'the link is down')
    await until(() => !ours.relay.core.routes.has(stockKey.publicKey()), 'nothing of the mesh peer is left')
    stock = await startStock()
    await until(() => states()[0] === 'up', 'the link is up again')
    expect(mesh.snapshot()[0]).toMatchObject({ state: 'up', counters: { connects: 2 } })
    const near = await ourClient(OURS, ours.port)
    const far = await ourClient(STOCK, stockPort)
    await sendUntilHere(near, far)
    await sendUntilHere(far, near)
    await Promise.all([near.close(), far.close()])
  })
})
