/** Stock derpprobe v1.84.1 and ours, on the same relays and the same map. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandPath } from '../support/commands.ts'
import { goTools, hasGo, stockProber } from '../support/go-tools.ts'
import { MESH_KEY, ProbeScene } from '../support/probe-scene.ts'
import { type Program, startProgram } from '../support/process.ts'
import { freePort, untilAnswering } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'

const DERPER = commandPath('derper')
const DERPPROBE = commandPath('derpprobe')
const DAY_MS = 24 * 3_600_000
/** Of which probes may use four fifths: what must fail takes so long, and what must not has so much time. */
const INTERVALS = ['tls', 'stun', 'mesh'].flatMap(kind => [`-${kind}-interval`, '30s'])

interface Verdicts {
  readonly good: readonly string[]
  readonly bad: readonly string[]
}

/** Names by verdict, from lines that stock derpprobe begins with the time. */
function verdictsOf(text: string): Verdicts {
  const named = (verdict: string) =>
    Array.from(text.matchAll(new RegExp(`(?:^| )${verdict}: (\\S+): `, 'gm')), ([, name = '']) => name).toSorted()
  return { good: named('good'), bad: named('bad') }
}

describe.skipIf(!hasGo)('derpprobe -once, stock and ours', () => {
  let scene: ProbeScene
  let map: string
  const daemons: Program[] = []

  beforeAll(async () => {
    await Promise.all([goTools(), stockProber()])
    scene = await ProbeScene.create()
    const crl = await scene.serve(() => scene.ca.revocationList(['1002']))
    const ends = { notAfter: new Date(Date.now() - DAY_MS) }
    const soon = { notAfter: new Date(Date.now() + 3 * DAY_MS) }
    const port = async (...args: Parameters<ProbeScene['startRelay']>) => ({
      DERPPort: (await scene.startRelay(...args)).port,
    })
    const [a, b] = await scene.startMeshedRelays()
    await scene.addRegion('meshed', [{ DERPPort: a.port }, { DERPPort: b.port }])
    await scene.addRegion('dead', [
      await port(),
      { DERPPort: await scene.deadPort(), STUNPort: await scene.deadPort() },
    ])
    await scene.addRegion('expired', [await port(ends)])
    await scene.addRegion('soon', [await port(soon)])
    await scene.addRegion('silent', [{ ...(await port()), STUNPort: await scene.silentUdpPort() }])
    await scene.addRegion('off', [{ ...(await port()), STUNPort: -1 }])
    await scene.addRegion('apart', [await port(), await port()])
    await scene.addRegion('name', [await port({ dns: ['other.test'] })])
    await scene.addRegion('revoked', [await port({ crl, serial: '1002', withIssuer: true })])
    await scene.addRegion('listed', [await port({ crl, serial: '1001', withIssuer: true })])
    const { derper } = await goTools()
    await scene.addRegion('stock', await startPair(derper))
    await scene.addRegion('ours', await startPair(RUNTIME_PATH, DERPER))
    map = scene.writeMap()
  }, 600_000)
  afterAll(async () => {
    await Promise.all(daemons.map(relay => relay.stop()))
    await scene?.[Symbol.asyncDispose]()
  })

  /** Two daemons that are linked to each other. */
  async function startPair(derper: string, ...script: string[]): Promise<{ DERPPort: number }[]> {
    const ports = [await freePort(), await freePort()]
    const psk = join(scene.directory, 'mesh.key')
    writeFileSync(psk, `${MESH_KEY}\n`)
    for (const port of ports) {
      const directory = join(scene.directory, `daemon-${port}`)
      mkdirSync(directory)
      const { certificate, key } = await scene.issue()
      writeFileSync(join(directory, 'localhost.crt'), certificate)
      writeFileSync(join(directory, 'localhost.key'), key)
      const listen = ['-a', `127.0.0.1:${port}`, '-http-port', '-1', '-stun=false', '-hostname', 'localhost']
      const identity = ['-c', join(directory, 'derper.key'), '-certmode', 'manual', '-certdir', directory]
      const mesh = ['-mesh-psk-file', psk, '-mesh-with', ports.map(each => `localhost:${each}/127.0.0.1`).join()]
      const env = { SSL_CERT_FILE: scene.caFile }
      daemons.push(await startProgram(derper, [...script, ...listen, ...identity, ...mesh], { env }))
      await untilAnswering(port)
    }
    return ports.map(DERPPort => ({ DERPPort }))
  }

  async function probeByStock(source: string): Promise<Verdicts> {
    const args = ['-once', '-spread=false', ...INTERVALS, '-derp-map', `file://${source}`]
    const program = await startProgram(await stockProber(), args, { env: { SSL_CERT_FILE: scene.caFile } })
    expect(await program.exit()).toBe(1)
    return verdictsOf(program.stderr)
  }

  /**
   * What stock derpprobe finds good in any of several runs: it gives mesh peers a tenth of a second to hear of a client,
   * which is too little on a busy machine, and does not try again.
   */
  async function probeOftenByStock(source: string, expected: Verdicts): Promise<Verdicts> {
    const runs: Verdicts[] = []
    for (;;) {
      runs.push(await probeByStock(source))
      const good = [...new Set(runs.flatMap(run => run.good))].toSorted()
      const bad = [...new Set(runs.flatMap(run => run.bad))].filter(name => !good.includes(name)).toSorted()
      if (runs.length === 4 || String(good) === String(expected.good)) return { good, bad }
    }
  }

  async function probeByOurs(source: string): Promise<Verdicts> {
    const args = ['-once', '-spread=false', ...INTERVALS, '-derp-map', `file://${source}`, '-ca', scene.caFile]
    const program = await startProgram(process.execPath, [DERPPROBE, ...args])
    expect(await program.exit()).toBe(1)
    return verdictsOf(program.stdout)
  }

  test('name the same good and the same bad', async () => {
    const ours = await probeByOurs(map)
    const stock = await probeOftenByStock(map, ours)
    expect(ours).toEqual(stock)
    expect(stock.bad).toEqual([
      'derp/apart/7a/7b/mesh',
      'derp/apart/7b/7a/mesh',
      'derp/dead/2a/2b/mesh',
      'derp/dead/2b/2a/mesh',
      'derp/dead/2b/2b/mesh',
      'derp/dead/2b/tls',
      'derp/dead/2b/udp',
      'derp/expired/3a/3a/mesh',
      'derp/expired/3a/tls',
      'derp/name/8a/8a/mesh',
      'derp/name/8a/tls',
      'derp/revoked/9a/tls',
      'derp/silent/5a/udp',
      'derp/soon/4a/tls',
    ])
    expect(stock.good).toHaveLength(47)
  })

  test.each([
    ['that is not there', undefined],
    ['that is none', '{"Regions": 7}'],
    ['with two nodes of one name', 'twice'],
  ])('find fault with a map %s', async (_, text) => {
    const path = join(scene.directory, 'other.json')
    if (text === 'twice') {
      const [region] = Object.values(scene.map.Regions ?? {})
      const Nodes = region?.Nodes.map(node => ({ ...node, RegionID: 2 }))
      writeFileSync(path, JSON.stringify({ Regions: { 1: region, 2: { ...region, RegionID: 2, Nodes } } }))
    } else if (text !== undefined) writeFileSync(path, text)
    const stock = await probeByStock(path)
    expect(await probeByOurs(path)).toEqual(stock)
    expect(stock).toEqual({ good: [], bad: ['derpmap-probe'] })
  })
})
