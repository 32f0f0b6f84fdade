import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import type { DERPMap, DERPNode } from '../derpmap/types.ts'
import type { AddressPort, IpFamily } from '../lib/address-port.ts'
import { encodeBindingResponse, parseBindingRequest } from '../stun/message.ts'
import { Netcheck } from './netcheck.ts'
import type { NetcheckPlatform, PlainHttpAnswer } from './platform.ts'
import { availability, type Report, reportJson, stunMs } from './report.ts'

/** How the fake network handles requests. */
interface Network {
  /** STUN latency in milliseconds by address; others never respond. */
  readonly stun?: Readonly<Record<string, number>>
  /** Our port as seen by each server; 4001 by default. */
  readonly ports?: Readonly<Record<string, number>>
  /** Number of requests lost at first, by address. */
  readonly losses?: Readonly<Record<string, number>>
  /** HTTPS latency in milliseconds by host; others fail. */
  readonly https?: Readonly<Record<string, number>>
  readonly plain?: Readonly<Record<string, PlainHttpAnswer>>
  readonly ipv6?: boolean
}

class FakeNetwork implements NetcheckPlatform {
  readonly clock = new FakeClock()
  network: Network
  readonly asked: string[] = []
  readonly #lost = new Map<string, number>()

  constructor(network: Network) {
    this.network = network
  }

  async ipv6() {
    return { inSystem: true, hasAddress: this.network.ipv6 ?? false }
  }

  async lookup(host: string, family: IpFamily): Promise<readonly string[]> {
    if (family === 4) return [`192.0.2.${host.length}`]
    throw new Error(`no IPv6 address of ${host}`)
  }

  async openUdp(_family: IpFamily, onDatagram: (bytes: Uint8Array) => void) {
    const send = async (bytes: Uint8Array, { address }: AddressPort) => {
      this.asked.push(address)
      const request = parseBindingRequest(bytes)
      const afterMs = this.network.stun?.[address]
      const lost = this.#lost.get(address) ?? 0
      this.#lost.set(address, lost + 1)
      if (!request.ok || afterMs === undefined || lost < (this.network.losses?.[address] ?? 0)) return
      const seen = { address: '198.51.100.7', port: this.network.ports?.[address] ?? 4001 }
      this.clock.after(afterMs, () => onDatagram(answerTo(request.txId, seen)))
    }
    return { send, close: () => {} }
  }

  async measureHttps({ HostName }: DERPNode) {
    const httpMs = this.network.https?.[HostName]
    if (httpMs === undefined) throw new Error(`nothing listens at ${HostName}`)
    return { connectMs: httpMs, tlsMs: 2 * httpMs, httpMs }
  }

  async probePlainHttp(host: string): Promise<PlainHttpAnswer> {
    return this.network.plain?.[host] ?? 'none'
  }
}

function answerTo(txId: Uint8Array, { address, port }: AddressPort): Uint8Array {
  const bytes = Uint8Array.from(address.split('.'), Number)
  return encodeBindingResponse(txId, { family: 4, bytes, port })
}

/** Regions 1, 2, … whose nodes have the addresses 192.0.2.1, 192.0.2.2, … */
function mapOf(count: number, fields: Partial<DERPNode> = {}): DERPMap {
  const regions = Array.from({ length: count }, (_, at) => {
    const id = at + 1
    const node = {
      Name: `${id}a`,
      RegionID: id,
      HostName: `relay${id}`,
      IPv4: `192.0.2.${id}`,
      IPv6: 'none',
      ...fields,
    }
    return { RegionID: id, RegionCode: `r${id}`, RegionName: `Region ${id}`, Nodes: [node] }
  })
  return { Regions: Object.fromEntries(regions.map(region => [region.RegionID, region])) }
}

/** Makes a report, advancing the clock until it is complete. */
async function reportOf(netcheck: Netcheck, { clock }: FakeNetwork, map: DERPMap, isFull = true): Promise<Report> {
  let report: Report | undefined
  const making = netcheck.report(map, { isFull }).then(made => {
    report = made
  })
  while (report === undefined) {
    await settle()
    clock.advance(1)
  }
  await making
  return report
}

async function once(network: Network, map: DERPMap): Promise<Report> {
  const platform = new FakeNetwork(network)
  return reportOf(new Netcheck(platform), platform, map)
}

describe('a report', () => {
  test('has the latency of each region and chooses the fastest as home', async () => {
    const report = await once(
      { stun: { '192.0.2.1': 20, '192.0.2.2': 7 }, https: { relay1: 41, relay2: 15 } },
      mapOf(2),
    )
    expect([...report.regions].map(([id, region]) => [id, stunMs(region), region.https?.httpMs])).toEqual([
      [1, 20, 41],
      [2, 7, 15],
    ])
    expect(report.home).toMatchObject({ regionId: 2, reason: 'first' })
    expect([report.udp, report.ipv4, report.ipv4CanSend, report.ipv6]).toEqual([true, true, true, false])
  })

  test('measures from the request that got the response, not from the first', async () => {
    const report = await once({ stun: { '192.0.2.1': 20 }, losses: { '192.0.2.1': 2 } }, mapOf(1))
    expect(stunMs(report.regions.get(1) as never)).toBe(20)
  })

  test('lists a region without a response, with no latency', async () => {
    const report = await once({ stun: { '192.0.2.1': 20 }, https: { relay1: 40 } }, mapOf(2))
    expect(report.regions.get(2)).toEqual({
      stunV4Ms: undefined,
      stunV6Ms: undefined,
      https: undefined,
      httpsProblem: 'nothing listens at relay2',
    })
    expect(reportJson(report, mapOf(2))).toMatchObject({ RegionLatency: { 1: 20e6 }, PreferredDERP: 1 })
    expect(Object.keys(report.latency.latencyMs)).toEqual(['1'])
  })

  test('falls back to HTTPS if UDP is blocked', async () => {
    const report = await once({ https: { relay1: 40, relay2: 30 } }, mapOf(2))
    expect([report.udp, report.latency.latencyMs, report.home.regionId]).toEqual([false, { 1: 40, 2: 30 }, 2])
  })

  test('reports a relay that only responds to STUN as not available', async () => {
    const report = await once({ stun: { '192.0.2.1': 5 } }, mapOf(1))
    expect(availability(report.regions.get(1))).toBe('nothing listens at relay1')
  })

  test.each([
    [{ '192.0.2.1': 4001, '192.0.2.2': 4001 }, false],
    [{ '192.0.2.1': 4001, '192.0.2.2': 4002 }, true],
  ])('with our ports %o says that the mapping varies: %s', async (ports, varies) => {
    const report = await once({ stun: { '192.0.2.1': 5, '192.0.2.2': 6 }, ports }, mapOf(2))
    expect(report.mappingVariesByDestIP).toBe(varies)
    expect([...report.globalV4.values()]).toEqual(varies ? [1, 1] : [2])
  })

  test('leaves the mapping undefined with a single response', async () => {
    expect((await once({ stun: { '192.0.2.1': 5 } }, mapOf(1))).mappingVariesByDestIP).toBeUndefined()
  })

  test('detects a captive portal if the map has nodes with CanPort80', async () => {
    const map = mapOf(1, { CanPort80: true })
    expect((await once({ plain: { '192.0.2.1': 'other' } }, map)).captivePortal).toBe(true)
    expect((await once({ plain: { '192.0.2.1': 'relay' } }, map)).captivePortal).toBe(false)
    expect((await once({}, mapOf(1))).captivePortal).toBeUndefined()
  })

  test('skips regions with NoMeasureNoHome', async () => {
    const [region] = Object.values(mapOf(1).Regions ?? {})
    const map = { Regions: { 1: { ...region, NoMeasureNoHome: true } } } as DERPMap
    const platform = new FakeNetwork({ stun: { '192.0.2.1': 5 } })
    const report = await reportOf(new Netcheck(platform), platform, map)
    expect([platform.asked, report.regions.size]).toEqual([[], 0])
  })

  test('sends no STUN to nodes without STUN and no HTTPS to STUN-only nodes', async () => {
    const platform = new FakeNetwork({ https: { relay1: 9 } })
    const noStun = await reportOf(new Netcheck(platform), platform, mapOf(1, { STUNPort: -1 }))
    expect([platform.asked, noStun.regions.get(1)?.https?.httpMs]).toEqual([[], 9])
    const stunOnly = await once({ stun: { '192.0.2.1': 5 } }, mapOf(1, { STUNOnly: true }))
    expect(availability(stunOnly.regions.get(1))).toBe('carries no packets')
  })

  test('keeps a home that is only slightly slower', async () => {
    const platform = new FakeNetwork({ stun: { '192.0.2.1': 20, '192.0.2.2': 30 } })
    const netcheck = new Netcheck(platform)
    await reportOf(netcheck, platform, mapOf(2))
    platform.network = { stun: { '192.0.2.1': 29, '192.0.2.2': 22 } }
    const later = await reportOf(netcheck, platform, mapOf(2))
    expect(later.home).toMatchObject({ regionId: 1, reason: 'fastest' })
    platform.clock.advance(6 * 60_000)
    expect((await reportOf(netcheck, platform, mapOf(2))).home.reason).toBe('keptBySmallGain')
  })

  test('stops when aborted', async () => {
    const platform = new FakeNetwork({})
    const stop = new AbortController()
    const making = new Netcheck(platform).report(mapOf(1), { signal: stop.signal })
    await settle()
    stop.abort()
    await expect(making).rejects.toThrow()
    expect(platform.clock.pendingTimers).toBe(0)
  })
})

describe('an incremental report', () => {
  const stun = { '192.0.2.1': 10, '192.0.2.2': 20, '192.0.2.3': 30, '192.0.2.4': 40, '192.0.2.5': 50 }

  test('measures only the fastest three regions, and all of them after five minutes', async () => {
    const platform = new FakeNetwork({ stun })
    const netcheck = new Netcheck(platform)
    await reportOf(netcheck, platform, mapOf(5))
    const lighter = await reportOf(netcheck, platform, mapOf(5), false)
    expect([...lighter.regions.keys()].toSorted((a, b) => a - b)).toEqual([1, 2, 3])
    expect(availability(lighter.regions.get(5))).toBe('not measured')
    platform.clock.advance(5 * 60_000)
    expect((await reportOf(netcheck, platform, mapOf(5), false)).regions.size).toBe(5)
  })
})

test('the JSON has the original field names in the original order, then ours', async () => {
  const report = await once({ stun: { '192.0.2.1': 7.5 }, https: { relay1: 15 } }, mapOf(1))
  const json = reportJson(report, mapOf(1))
  const names =
    'Now UDP IPv6 IPv4 IPv6CanSend IPv4CanSend OSHasIPv6 ICMPv4 MappingVariesByDestIP UPnP PMP PCP PreferredDERP RegionLatency RegionV4Latency RegionV6Latency GlobalV4Counters GlobalV6Counters GlobalV4 GlobalV6 CaptivePortal'
  expect(Object.keys(json).slice(0, 21)).toEqual(names.split(' '))
  expect(json).toMatchObject({
    UDP: true,
    MappingVariesByDestIP: null,
    UPnP: null,
    RegionV4Latency: { 1: 7_500_000 },
    RegionV6Latency: {},
    GlobalV4Counters: { '198.51.100.7:4001': 1 },
    GlobalV6Counters: null,
    GlobalV4: '198.51.100.7:4001',
    GlobalV6: '',
    RegionHTTPSLatency: { 1: 15_000_000 },
    RegionAvailability: { 1: 'available' },
    NotAttempted: ['UPnP', 'PMP', 'PCP', 'ICMPv4'],
  })
})
