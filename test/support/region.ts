/** A region of two of our relays over TLS, meshed, each in its own process. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PacketTotals } from '../../src/daemon/packet-totals.ts'
import type { DERPMap } from '../../src/derpmap/types.ts'
import { commandPath } from './commands.ts'
import { type Program, startProgram } from './process.ts'
import { freePort } from './relays.ts'
import { RUNTIME_PATH } from './runtime.ts'
import { served } from './served.ts'
import { TestCa } from './test-ca.ts'

const DERPER = commandPath('derper')
export const REGION_ID = 7

/** One relay of the region. */
export class RegionNode {
  readonly name: string
  readonly program: Program
  readonly #metricsUrl: string

  constructor(name: string, program: Program, metricsUrl: string) {
    this.name = name
    this.program = program
    this.#metricsUrl = metricsUrl
  }

  /** The value of a metric; 0 if missing. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(this.#metricsUrl)).text()
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
  }

  /** The fields of the relay's last log line. */
  drainLine(): Promise<DrainLine> {
    return drainLineOf(this.program)
  }
}

/** Log fields of a drained relay. */
export interface DrainLine extends PacketTotals {
  readonly told: number
  readonly moved: number
  readonly cut: number
}

/** What a relay logs once it has drained. */
export async function drainLineOf(program: Program): Promise<DrainLine> {
  const [line] = await program.stderrMatch(/^.*"msg":"drain ended".*$/m)
  return JSON.parse(line) as DrainLine
}

export class TestRegion implements AsyncDisposable {
  readonly nodes: readonly [RegionNode, RegionNode]
  readonly map: DERPMap
  /** PEM of the CA of the relays' certificates. */
  readonly ca: string
  readonly #directory: string

  private constructor(nodes: readonly [RegionNode, RegionNode], map: DERPMap, ca: string, directory: string) {
    this.nodes = nodes
    this.map = map
    this.ca = ca
    this.#directory = directory
  }

  /** Starts both; the mesh link comes up later. */
  static async start(flags: readonly string[] = []): Promise<TestRegion> {
    const directory = mkdtempSync(join(tmpdir(), 'region-'))
    const ca = await TestCa.create()
    writeFileSync(join(directory, 'ca.pem'), ca.certificate)
    writeFileSync(join(directory, 'mesh.key'), `${'0123456789abcdef'.repeat(4)}\n`)
    const [first, second] = [
      { name: 'a.test', port: await freePort() },
      { name: 'b.test', port: await freePort() },
    ]
    const meshPeers = `${first.name}:${first.port}/127.0.0.1,${second.name}:${second.port}/127.0.0.1`
    const start = async ({ name, port }: typeof first) => {
      const { certificate, key } = await ca.issue({ dns: [name] })
      writeFileSync(join(directory, `${name}.crt`), certificate)
      writeFileSync(join(directory, `${name}.key`), key)
      const listen = ['-a', `127.0.0.1:${port}`, '-http-port=-1', '-stun=false', '-metrics-addr', '127.0.0.1:0']
      const identity = ['-c', join(directory, `${name}.derper`), '-hostname', name, '-certdir', directory]
      const mesh = ['-mesh-psk-file', join(directory, 'mesh.key'), '-mesh-with', meshPeers]
      const args = [DERPER, ...listen, ...identity, '-certmode', 'manual', ...mesh, ...flags]
      const env = { NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') }
      const program = await startProgram(RUNTIME_PATH, args, { env })
      return new RegionNode(name, program, `http://${(await served(program)).metrics}/metrics`)
    }
    const nodes = await Promise.all([start(first), start(second)])
    return new TestRegion(nodes, mapOf([first, second]), ca.certificate, directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map(({ program }) => program.stop('SIGKILL')))
    rmSync(this.#directory, { recursive: true })
  }
}

function mapOf(nodes: readonly { readonly name: string; readonly port: number }[]): DERPMap {
  const region = {
    RegionID: REGION_ID,
    RegionCode: 'test',
    RegionName: 'test',
    Nodes: nodes.map(({ name, port }) => ({
      Name: name,
      RegionID: REGION_ID,
      HostName: name,
      IPv4: '127.0.0.1',
      IPv6: 'none',
      DERPPort: port,
    })),
  }
  return { Regions: { [REGION_ID]: region } }
}
