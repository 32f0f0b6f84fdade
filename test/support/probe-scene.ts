/**
 * Relays of ours over TLS on loopback, each with a fault of its own or none, and a DERP map that promises them all to be
 * well: for probers.
 */

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DERPMap, DERPNode, DERPRegion } from '../../src/derpmap/types.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { Mesh } from '../../src/mesh/mesh.ts'
import { parseMeshWith } from '../../src/mesh/mesh-target.ts'
import { createStunServer } from '../../src/stun/server.ts'
import { ListeningRelay, type ListeningRelayOptions } from './listening-relay.ts'
import { freePort } from './relays.ts'
import { until } from './settle.ts'
import { type ListeningServer, listenOnLoopback } from './socket-server.ts'
import { type IssueRequest, TestCa } from './test-ca.ts'

const DAY_MS = 24 * 3_600_000
/** Before the day since which stock v1.84.1 wants each certificate to name a CRL. */
const NOT_BEFORE = new Date(Date.UTC(2025, 0, 1))
export const MESH_KEY: string = 'c4'.repeat(32)
/** Probers ask DNS for it, and stock ones want it to be no address. */
const HOST = 'localhost'

type NodeFields = Partial<DERPNode>

export class ProbeScene implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'probe-scene-'))
  readonly ca: TestCa
  readonly #regions: DERPRegion[] = []
  readonly #servers: AsyncDisposable[] = []
  #stunPort = 0

  private constructor(ca: TestCa) {
    this.ca = ca
    writeFileSync(this.caFile, ca.certificate)
  }

  /** A scene with STUN, which all nodes share, and no relay yet. */
  static async create(): Promise<ProbeScene> {
    const scene = new ProbeScene(await TestCa.create('test authority', 90))
    const stun = createStunServer({ port: 0, host: '127.0.0.1' })
    scene.#stunPort = (await stun.listen()).port
    scene.#servers.push({ [Symbol.asyncDispose]: () => stun.close() })
    return scene
  }

  get caFile(): string {
    return join(this.directory, 'ca.pem')
  }

  get map(): DERPMap {
    return { Regions: Object.fromEntries(this.#regions.map(region => [region.RegionID, region])) }
  }

  /** Writes the map; gives the file's path. */
  writeMap(): string {
    const path = join(this.directory, 'map.json')
    writeFileSync(path, JSON.stringify(this.map))
    return path
  }

  /** Adds a region to the map; a node without a port is nowhere. */
  async addRegion(code: string, nodes: readonly NodeFields[]): Promise<DERPRegion> {
    const id = this.#regions.length + 1
    const defaults = { RegionID: id, HostName: HOST, IPv4: '127.0.0.1', STUNPort: this.#stunPort }
    const named = nodes.map((node, at) => ({ Name: `${id}${'ab'[at]}`, ...defaults, ...node }))
    const region = { RegionID: id, RegionCode: code, RegionName: code, Nodes: named }
    this.#regions.push(region)
    return region
  }

  /** Issues a certificate for the relays' host, by default one with which nothing is wrong. */
  issue(request: IssueRequest = {}): ReturnType<TestCa['issue']> {
    const notAfter = new Date(Date.now() + 60 * DAY_MS)
    return this.ca.issue({ dns: [HOST], notBefore: NOT_BEFORE, notAfter, withAuthorityKey: true, ...request })
  }

  /** Starts a relay of ours. */
  async startRelay(request: IssueRequest = {}, options: ListeningRelayOptions = {}): Promise<ListeningRelay> {
    const tls = { hostname: HOST, certificate: await this.issue(request) }
    const relay = await ListeningRelay.start({ tls, ...options })
    this.#servers.push(relay)
    return relay
  }

  /** Starts two relays of ours that are linked to each other. */
  async startMeshedRelays(): Promise<readonly [ListeningRelay, ListeningRelay]> {
    const options = { meshKey: MeshKey.parse(MESH_KEY) }
    const relays = [await this.startRelay({}, options), await this.startRelay({}, options)] as const
    const meshes = [this.#link(relays[0], relays[1]), this.#link(relays[1], relays[0])]
    await until(() => meshes.every(mesh => mesh.snapshot().every(({ state }) => state === 'up')), 'the mesh stands')
    return relays
  }

  #link(from: ListeningRelay, to: ListeningRelay): Mesh {
    const targets = parseMeshWith(`${HOST}:${to.port}/127.0.0.1`)
    const mesh = new Mesh(from.relay.core, targets, { tlsConfig: { ca: this.ca.certificate } })
    mesh.start()
    this.#servers.unshift({ [Symbol.asyncDispose]: () => mesh.stop() })
    return mesh
  }

  /** A UDP port of loopback that takes everything and answers nothing. */
  async silentUdpPort(): Promise<number> {
    const socket: UdpSocket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    this.#servers.push({ [Symbol.asyncDispose]: async () => void socket.close() })
    return socket.address().port
  }

  /** A TCP port of loopback at which nothing listens. */
  deadPort(): Promise<number> {
    return freePort()
  }

  /** Serves `body` to everybody; gives its URL. */
  async serve(body: () => Promise<Uint8Array> | Uint8Array): Promise<string> {
    const server = createServer((_request, response) => {
      void Promise.resolve(body()).then(bytes => response.end(bytes))
    })
    const listening: ListeningServer = await listenOnLoopback(server)
    this.#servers.push(listening)
    return `http://127.0.0.1:${listening.port}/`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]()
    rmSync(this.directory, { recursive: true })
  }
}
