/** Stock netcheck v1.84.1 and `derp netcheck`, over relays of both kinds and the same maps. */

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DERPMap, DERPNode } from '../../src/derpmap/types.ts'
import { commandPath } from '../support/commands.ts'
import { goTools, hasGo } from '../support/go-tools.ts'
import { type Program, startProgram } from '../support/process.ts'
import { freePort, type RunningTlsRelay, startOurTlsRelay, startReferenceTlsRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'

const DERP = commandPath('derp')

interface Findings {
  readonly preferred: number
  readonly regions: readonly number[]
  readonly udp: boolean
}

type NodeFields = Partial<DERPNode>

// Concurrent, as most wait for STUN in vain.
describe.skipIf(!hasGo).concurrent('derp netcheck, stock and ours', () => {
  const directory = mkdtempSync(join(tmpdir(), 'netcheck-'))
  const caFile = join(directory, 'ca.pem')
  let relays: readonly RunningTlsRelay[] = []
  let silent: UdpSocket
  /** Nodes by what they are. */
  let ours: NodeFields
  let stock: NodeFields
  let dead: NodeFields
  let withoutUdp: NodeFields

  beforeAll(async () => {
    const started = [await startOurTlsRelay(), await startReferenceTlsRelay()] as const
    relays = started
    const [one, two] = started.map(({ port, stunPort }) => ({ DERPPort: port, STUNPort: stunPort }))
    ours = { ...one }
    stock = { ...two }
    writeFileSync(caFile, relays.map(({ ca }) => ca).join('\n'))
    silent = createSocket('udp4').bind(0, '127.0.0.1')
    await once(silent, 'listening')
    withoutUdp = { STUNPort: silent.address().port }
    dead = { DERPPort: await freePort(), ...withoutUdp }
  }, 180_000)
  afterAll(async () => {
    await Promise.all(relays.map(relay => relay.stop()))
    silent?.close()
    rmSync(directory, { recursive: true })
  })

  /** Regions 1, 2, … of these nodes. All are equally near, so that their scores decide: the one of `best` is least. */
  function mapOf(best: number, regions: readonly (readonly NodeFields[])[], fields: object = {}): DERPMap {
    const listed = regions.map((nodes, at) => ({
      RegionID: at + 1,
      RegionCode: `r${at + 1}`,
      RegionName: `Region ${at + 1}`,
      Nodes: nodes.map((node, nth) => ({
        Name: `${at + 1}${'ab'[nth]}`,
        RegionID: at + 1,
        HostName: 'localhost',
        IPv4: '127.0.0.1',
        IPv6: 'none',
        ...node,
      })),
      ...(at + 1 === best && fields),
    }))
    const scores = listed.map(({ RegionID: id }) => [id, id === best ? 1e-6 : 1] as const)
    return {
      HomeParams: { RegionScore: Object.fromEntries(scores) },
      Regions: Object.fromEntries(listed.map(region => [region.RegionID, region])),
    }
  }

  async function findingsOf(program: Program): Promise<Findings> {
    const report = await program.lineWhere(line => JSON.parse(line))
    expect(await program.exit()).toBe(0)
    const regions = Object.keys(report.RegionLatency).map(Number)
    return { preferred: report.PreferredDERP, regions: regions.toSorted((a, b) => a - b), udp: report.UDP }
  }

  async function byStock(map: DERPMap, ...args: string[]): Promise<Findings> {
    const { netcheck } = await goTools()
    const program = await startProgram(netcheck, args, { env: { SSL_CERT_FILE: caFile } })
    program.child.stdin?.end(JSON.stringify(map))
    return findingsOf(program)
  }

  async function byOurs(map: DERPMap): Promise<Findings> {
    const args = ['netcheck', '--format', 'json-line', '--ca', caFile, '-']
    const program = await startProgram(RUNTIME_PATH, [DERP, ...args])
    program.child.stdin?.end(JSON.stringify(map))
    return findingsOf(program)
  }

  const stunOff = () => ({ ...ours, STUNPort: -1 })

  test.each([
    ['ours', 1],
    ['stock', 2],
  ])('measure the regions that answer STUN, and prefer the best: %s', async (_which, best) => {
    const map = mapOf(best, [[ours], [stock], [stunOff()], [dead], [dead, ours]])
    const [found, expected] = await Promise.all([byOurs(map), byStock(map)])
    expect(found).toEqual(expected)
    expect(found).toEqual({ preferred: best, regions: [1, 2, 5], udp: true })
  })

  test('leave out a region with NoMeasureNoHome', async () => {
    const map = mapOf(1, [[ours], [stock]], { NoMeasureNoHome: true })
    const [found, expected] = await Promise.all([byOurs(map), byStock(map)])
    expect(found).toEqual(expected)
    expect(found).toEqual({ preferred: 2, regions: [2], udp: true })
  })

  // D-87
  test('measure a region with Avoid, which only stock netcheck prefers to others', async () => {
    const map = mapOf(1, [[ours], [stock]], { Avoid: true })
    expect(await byStock(map)).toEqual({ preferred: 1, regions: [1, 2], udp: true })
    expect(await byOurs(map)).toEqual({ preferred: 2, regions: [1, 2], udp: true })
  })

  test('measure by HTTPS where no STUN arrives', async () => {
    const map = mapOf(2, [[{ ...ours, ...withoutUdp }], [{ ...stock, ...withoutUdp }], [dead], [dead, stunOff()]])
    const [found, expected] = await Promise.all([byOurs(map), byStock(map, 'tcp')])
    expect(found).toEqual(expected)
    expect(found).toEqual({ preferred: 2, regions: [1, 2, 4], udp: false })
  })

  test('have no home where nothing answers', async () => {
    const map = mapOf(1, [[dead], [{ ...dead, STUNPort: -1 }]])
    const [found, expected] = await Promise.all([byOurs(map), byStock(map, 'tcp')])
    expect(found).toEqual(expected)
    expect(found).toEqual({ preferred: 0, regions: [], udp: false })
  })
})
