import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import type { DERPMap, DERPNode } from '../derpmap/types.ts'
import { silentLog } from '../lib/log.ts'
import { DerpProber, MAP_PROBE } from './derp-prober.ts'
import { type FetchedMap, MapUnreachableError, type MonitorPorts } from './ports.ts'
import { Prober } from './prober.ts'

const INTERVAL_MS = 10_000

const nodeOf = (Name: string, more: Partial<DERPNode> = {}): DERPNode => ({
  Name,
  RegionID: 1,
  HostName: `${Name}.test`,
  ...more,
})
const mapOf = (...Nodes: readonly DERPNode[]): DERPMap => ({
  Regions: { 1: { RegionID: 1, RegionCode: 'lab', RegionName: 'Lab', Nodes } },
})

/** A prober of TLS and STUN whose map and relays are what the test says. */
class Scene {
  readonly clock = new FakeClock()
  readonly prober = new Prober({ clock: this.clock, log: silentLog, isSpread: false, isOnce: false })
  readonly stunAsked: string[] = []
  readonly handshakes: DERPNode[] = []
  map: () => FetchedMap | Promise<FetchedMap> = () => ({ map: mapOf(nodeOf('1a')), problem: undefined })

  constructor(region?: string) {
    const refused = () => Promise.reject(new Error('refused'))
    const ports: MonitorPorts = {
      clock: this.clock,
      log: silentLog,
      fetchMap: async () => this.map(),
      handshake: async node => {
        this.handshakes.push(node)
        return { peerCertificates: [], pin: undefined }
      },
      checkRevocation: async () => ({ kind: 'unchecked', reason: 'it names nobody' }),
      askStun: async (address, port) => void this.stunAsked.push(`${address} ${port}`),
      connect: refused,
      randomBytes: length => new Uint8Array(length),
    }
    const options = {
      mapIntervalMs: INTERVAL_MS,
      tlsIntervalMs: INTERVAL_MS,
      stunIntervalMs: INTERVAL_MS,
      meshIntervalMs: 0,
      region,
    }
    new DerpProber(this.prober, ports, options).start()
  }

  async next(ms = INTERVAL_MS): Promise<void> {
    this.clock.advance(ms)
    await settle()
  }

  get names(): readonly string[] {
    return this.prober.infos().map(({ name }) => name)
  }

  get mapInfo() {
    return this.prober.probe(MAP_PROBE)?.info
  }
}

test('DerpProber follows the map: nodes that come are probed, those that go are not', async () => {
  const scene = new Scene()
  await settle()
  expect(scene.names).toEqual(['derp/lab/1a/tls', MAP_PROBE])
  scene.map = () => ({ map: mapOf(nodeOf('1b', { IPv4: '192.0.2.2' })), problem: undefined })
  await scene.next()
  expect(scene.names).toEqual(['derp/lab/1b/tls', 'derp/lab/1b/udp', MAP_PROBE])
  await scene.prober.close()
})

test('DerpProber probes a node where the map says now', async () => {
  const scene = new Scene()
  scene.map = () => ({ map: mapOf(nodeOf('1a', { IPv4: '192.0.2.1' })), problem: undefined })
  await settle()
  scene.map = () => ({ map: mapOf(nodeOf('1a', { IPv4: '192.0.2.9', STUNPort: 3479 })), problem: undefined })
  await scene.next()
  await scene.next()
  expect(scene.stunAsked.at(0)).toBe('192.0.2.1 3478')
  expect(scene.stunAsked.at(-1)).toBe('192.0.2.9 3479')
  expect(scene.handshakes.at(-1)?.IPv4).toBe('192.0.2.9')
  await scene.prober.close()
})

test('DerpProber begins a probe anew when its labels change', async () => {
  const scene = new Scene()
  await settle()
  const before = scene.prober.probe('derp/lab/1a/tls')
  scene.map = () => ({ map: mapOf(nodeOf('1a', { HostName: 'new.test' })), problem: undefined })
  await scene.next()
  const after = scene.prober.probe('derp/lab/1a/tls')
  expect(after).not.toBe(before)
  expect(after?.labels['hostname']).toBe('new.test')
  await scene.prober.close()
})

test('DerpProber uses an earlier map for ten minutes while its place is unreachable', async () => {
  const scene = new Scene()
  await settle()
  scene.map = () => {
    throw new MapUnreachableError('connection refused')
  }
  await scene.next()
  expect(scene.mapInfo).toMatchObject({
    status: 'succeeded',
    notes: ['the map of 10s ago is used: connection refused'],
  })
  await scene.next(10 * 60_000)
  expect(scene.mapInfo).toMatchObject({ status: 'failed', error: 'connection refused' })
  expect(scene.names).toEqual(['derp/lab/1a/tls', MAP_PROBE])
  await scene.prober.close()
})

test('DerpProber fails on a map that cannot be read, and goes on with the earlier one', async () => {
  const scene = new Scene()
  await settle()
  scene.map = () => {
    throw new Error('status 500')
  }
  await scene.next()
  expect(scene.mapInfo).toMatchObject({ status: 'failed', error: 'status 500' })
  expect(scene.names).toEqual(['derp/lab/1a/tls', MAP_PROBE])
  await scene.prober.close()
})

test('DerpProber fails while the map lacks the region that is to be probed', async () => {
  const scene = new Scene('far')
  await settle()
  expect(scene.mapInfo).toMatchObject({ status: 'failed', error: 'find region far: the DERP map has only lab (1)' })
  expect(scene.names).toEqual([MAP_PROBE])
  const { Regions } = mapOf(nodeOf('1a'))
  const far = { RegionID: 2, RegionCode: 'far', RegionName: 'Far', Nodes: [nodeOf('2a', { RegionID: 2 })] }
  scene.map = () => ({ map: { Regions: { ...Regions, 2: far } }, problem: undefined })
  await scene.next()
  expect(scene.mapInfo).toMatchObject({ status: 'succeeded' })
  expect(scene.names).toEqual(['derp/far/2a/tls', MAP_PROBE])
  await scene.prober.close()
})

test('DerpProber fails on a map that lacks nodes, and probes the others', async () => {
  const scene = new Scene()
  scene.map = () => ({ map: mapOf(nodeOf('1a')), problem: 'Nodes[1] has no host' })
  await settle()
  expect(scene.mapInfo).toMatchObject({ status: 'failed', error: 'Nodes[1] has no host' })
  expect(scene.prober.probe('derp/lab/1a/tls')?.info).toMatchObject({
    status: 'succeeded',
    notes: ['revocation not checked: it names nobody'],
  })
  await scene.prober.close()
})
