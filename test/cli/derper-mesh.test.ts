import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NodeClient } from '../../src/client/node/node-client.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { goTools, hasGo } from '../support/go-tools.ts'
import { type Program, startProgram } from '../support/process.ts'
import { nextMessage } from '../support/relay.ts'
import { freePort, untilAnswering } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { StockClients } from '../support/stock-client.ts'
import { TestCa } from '../support/test-ca.ts'

const DERPER = commandPath('derper')
/** The first is ours, the second stock. `stock.test` is not in DNS: the part after the slash must be dialled. */
const HOSTS = ['localhost', 'stock.test'] as const

describe.skipIf(!hasGo).each(['1', '2'])('derper -workers %s -mesh-with', workers => {
  const directory = mkdtempSync(join(tmpdir(), 'derper-mesh-'))
  const at = (name: string) => join(directory, name)
  const programs: Program[] = []
  let ca: TestCa
  let ports: [ours: number, stock: number]
  let clients: StockClients

  beforeAll(async () => {
    ca = await TestCa.create()
    writeFileSync(at('ca.pem'), ca.certificate)
    writeFileSync(at('mesh.key'), `${'0123456789abcdef'.repeat(4)}\n`)
    for (const host of HOSTS) {
      const { certificate, key } = await ca.issue({ dns: [host] })
      writeFileSync(at(`${host}.crt`), certificate)
      writeFileSync(at(`${host}.key`), key)
      writeFileSync(at(`${host}.json`), JSON.stringify({ PrivateKey: NodePrivateKey.generate().exportText() }))
    }
    ports = [await freePort(), await freePort()]
    const { derper } = await goTools()
    programs.push(
      await startProgram(derper, flagsOf(1), { env: { SSL_CERT_FILE: at('ca.pem') } }),
      await startProgram(RUNTIME_PATH, [DERPER, '-workers', workers, ...flagsOf(0)], {
        env: { SSL_CERT_FILE: at('ca.pem') },
      }),
    )
    await Promise.all(ports.map(untilAnswering))
    clients = await StockClients.start({ SSL_CERT_FILE: at('ca.pem') })
  })
  afterAll(async () => {
    await Promise.all([clients?.stop(), ...programs.map(program => program.stop())])
    rmSync(directory, { recursive: true })
  })

  /** The same flags for both: all mesh peers share one list, which includes themselves. */
  function flagsOf(index: 0 | 1): string[] {
    const host = HOSTS[index]
    const listen = ['-a', `127.0.0.1:${ports[index]}`, '-http-port', '-1', '-stun=false', '-c', at(`${host}.json`)]
    const tls = ['-certmode', 'manual', '-certdir', directory, '-hostname', host]
    const meshPeers = HOSTS.map((name, i) => `${name}:${ports[i]}/127.0.0.1`).join(',')
    return [...listen, ...tls, '-mesh-psk-file', at('mesh.key'), '-mesh-with', meshPeers]
  }

  test('meshes with stock derper both ways: packets cross between clients of each (P-072, P-078)', async () => {
    const ours = new NodeClient(NodePrivateKey.generate(), `https://localhost:${ports[0]}/derp`, {
      tlsConfig: { ca: ca.certificate },
    })
    await nextMessage(ours, 'serverInfo')
    const node = { Name: '1a', RegionID: 1, HostName: HOSTS[1], IPv4: '127.0.0.1', IPv6: 'none', DERPPort: ports[1] }
    const region = { RegionID: 1, RegionCode: 'test', RegionName: 'test', Nodes: [node] }
    const stock = NodePublicKey.parse(await clients.login('stock', { region }))

    // Presence takes an unspecified time to reach the mesh peer: each sends until something arrives.
    const sending = setInterval(() => void ours.send(stock, Uint8Array.of(7)), 50)
    const there = await clients.event('stock', line => line.type === 'receivedPacket')
    clearInterval(sending)
    let here: Awaited<typeof arrived> | undefined
    const arrived = nextMessage(ours, 'receivedPacket')
    void arrived.then(message => {
      here = message
    })
    const back = { to: String(ours.selfPublicKey()), dataBase64: 'Aw==' }
    while (here === undefined) {
      await clients.ask('send', 'stock', back)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    expect([String(here.source), [...here.data]]).toEqual([String(stock), [3]])
    expect([there['source'], there['dataBase64']]).toEqual([String(ours.selfPublicKey()), 'Bw=='])

    const target = new Target({
      url: `https://localhost:${ports[0]}/derp`,
      ca: ca.certificate,
      carriage: 'raw',
      like: 'ours',
    })
    const own = (await target.vars())['derphttp'] as Record<string, unknown>
    // Not the link to itself.
    expect(own).toMatchObject({ gauge_mesh_links: 1, gauge_mesh_links_up: 1 })
    const [stockProgram] = programs
    await stockProgram?.stderrMatch(/detected self-connect; ignoring host/)
    await ours.close()
  })
})
