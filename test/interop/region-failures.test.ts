/**
 * What relays of a region go through: NATS servers that die, return or stall, relays that freeze or die, clocks that are
 * wrong. Each time the region heals within 5 s, and counters explain every packet that was lost.
 */

import { connect } from '@nats-io/transport-node'
import { afterEach, describe, expect, test } from 'vitest'
import { Backplane } from '../../src/backplane/backplane.ts'
import { NatsBus } from '../../src/backplane/nats-bus.ts'
import { OnDemandLink } from '../../src/backplane/on-demand-link.ts'
import { relayIdOf } from '../../src/backplane/stamp.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { sleep } from '../../src/lib/sleep.ts'
import { linkDialer } from '../../src/mesh/dial-link.ts'
import type { Amount, RelayCounters } from '../../src/metrics/counters.ts'
import { MeshLinkCounters } from '../../src/metrics/mesh-counters.ts'
import { expectRelays } from '../conformance/check.ts'
import { nextNews } from '../conformance/presence.ts'
import { introduce, introduceEachOther } from '../conformance/region/flows.ts'
import { Target } from '../conformance/target.ts'
import { hasGo } from '../support/go-tools.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { type NatsServer, startNatsCluster, startNatsServer } from '../support/nats-server.ts'
import { type Balance, type PacketCounts, untilBalanced } from '../support/packet-balance.ts'
import type { LoginOptions, RawClient } from '../support/raw-client.ts'
import {
  heals,
  REGION_MESH_KEY,
  type RegionRelay,
  startRegionRelay,
  untilMetric,
  untilReadyz,
  untilRelaysMet,
} from '../support/region-relay.ts'
import { RUNS_ALL } from '../support/selection.ts'

/** Longer than a relay without beats is believed to live. */
const OUTAGE_MS = 10_000
/** For a client whose relay has died. */
const PACKETS = 10
/** Of a slow reader at a server with little memory for it. */
const FLOOD = { messages: 30_000, bytes: 1_024 }
const LITTLE_PENDING = 'no_fast_producer_stall: true\nmax_pending: 4MB\nwrite_deadline: "2s"'

const clients: RawClient[] = []
const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  clients.length = 0
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function startRelays(servers: readonly NatsServer[], count: number): Promise<RegionRelay[]> {
  const urls = servers.map(({ url }) => url).join(',')
  const relays = await Promise.all(Array.from({ length: count }, () => startRegionRelay(urls)))
  cleanups.push(async () => {
    await Promise.all(relays.map(relay => relay.stop()))
  })
  await untilRelaysMet(relays)
  return relays
}

async function startNats(config?: string): Promise<NatsServer> {
  const nats = await startNatsServer(config)
  cleanups.push(() => nats.stop())
  return nats
}

/** A logged-in client. */
async function login(url: string, options: LoginOptions = {}): Promise<RawClient> {
  const target = new Target({ url, carriage: 'raw', like: 'ours' })
  cleanups.push(async () => target.closeAll())
  const client = await target.login(options)
  clients.push(client)
  return client
}

/** What became of all packets of the test. @param last the counts of relays that have died. */
function balanceOf(relays: readonly RegionRelay[], last: readonly PacketCounts[] = []): Promise<Balance> {
  const read = async () => [...last, ...(await Promise.all(relays.map(relay => relay.packetCounts())))]
  return untilBalanced(clients, read)
}

async function findFailed(relay: RegionRelay): Promise<number> {
  return (await relay.metrics('counter_packets_dropped'))['find_failed'] ?? 0
}

// They take a minute: `npm run test:all` runs them.
describe.skipIf(!hasGo || !RUNS_ALL)('a region of relays', () => {
  test('loses a NATS server of three: flows go on, and clients find each other again (P-312, P-318)', async () => {
    const cluster = await startNatsCluster()
    cleanups.push(async () => {
      for (const node of cluster) await node.stop()
    })
    const [one, other] = (await startRelays(cluster, 2)) as [RegionRelay, RegionRelay]
    const [a, b] = [await login(one.url), await login(other.url)]
    await introduceEachOther(a, b)
    for (const node of cluster.slice(0, 2)) {
      await node.kill()
      await expectRelays(a, b)
      await expectRelays(b, a)
      await heals(async () => introduceEachOther(await login(one.url), await login(other.url)))
      await node.restart()
    }
    await untilRelaysMet([one, other])
    expect((await balanceOf([one, other])).lostOnLinks).toBe(0)
  })

  test('is without NATS for 10 s: local traffic and known flows go on, others fail counted, until it returns (P-318)', async () => {
    const nats = await startNats()
    const [one, other] = (await startRelays([nats], 2)) as [RegionRelay, RegionRelay]
    const [a, b, late] = [await login(one.url), await login(other.url), await login(other.url)]
    await introduceEachOther(a, b)
    await nats.kill()
    await untilMetric(one, 'gauge_region_joined', 0)
    a.packet(late.publicKey, new Uint8Array(100))
    await a.sync()
    expect(await findFailed(one)).toBe(1)
    await sleep(systemClock, OUTAGE_MS)
    await expectRelays(a, b)
    await expectRelays(b, a)
    await expectRelays(a, await login(one.url))
    await nats.restart()
    await heals(async () => {
      await introduceEachOther(a, late)
      await untilRelaysMet([one, other])
      await untilReadyz(one, /^ready\n$/)
    })
    const { dropped, lostOnLinks } = await balanceOf([one, other])
    expect([dropped > 0, lostOnLinks]).toEqual([true, 0])
  })

  test('loses a relay: its clients log in elsewhere and reach all others, those that do not return have left (P-304, P-316)', async () => {
    const nats = await startNats()
    const [one, other, killed] = (await startRelays([nats], 3)) as [RegionRelay, RegionRelay, RegionRelay]
    const [a, b, witness] = [await login(one.url), await login(other.url), await login(one.url)]
    const privateKey = NodePrivateKey.generate()
    const [c, lost] = [await login(killed.url, { privateKey }), await login(killed.url)]
    for (const peer of [a, b]) await introduceEachOther(peer, c)
    await introduceEachOther(witness, lost)
    await balanceOf([one, other, killed])
    const last = await killed.packetCounts()
    await killed.program.stop('SIGKILL')
    for (let n = 0; n < PACKETS; n++) a.packet(c.publicKey, new Uint8Array(100))
    await a.sync()
    const back = await login(other.url, { privateKey })
    await heals(async () => {
      for (const peer of [a, b]) await introduceEachOther(peer, back)
    })
    expect(await nextNews(witness, lost.publicKey)).toMatchObject({ type: 'peerGone', reason: 0 })
    await untilRelaysMet([one, other])
    const { dropped, lostOnLinks } = await balanceOf([one, other], [last])
    expect(dropped + lostOnLinks).toBeGreaterThanOrEqual(PACKETS)
  })

  test('has a frozen relay: it is given up, and returns with its clients (P-312, P-316)', async () => {
    const nats = await startNats()
    const [one, other, frozen] = (await startRelays([nats], 3)) as [RegionRelay, RegionRelay, RegionRelay]
    const [a, b, c] = [await login(one.url), await login(other.url), await login(frozen.url)]
    await introduceEachOther(a, b)
    frozen.program.child.kill('SIGSTOP')
    await untilMetric(one, 'gauge_region_relays', 1)
    await expectRelays(a, b)
    await introduceEachOther(await login(one.url), await login(other.url))
    frozen.program.child.kill('SIGCONT')
    await heals(async () => {
      await untilRelaysMet([one, other, frozen])
      await introduceEachOther(a, c)
    })
    await balanceOf([one, other, frozen])
  })

  test('has a relay that reads too slowly: it is disconnected, others are not delayed, and it catches up (P-312)', async () => {
    const nats = await startNats(LITTLE_PENDING)
    const [one, other, slow] = (await startRelays([nats], 3)) as [RegionRelay, RegionRelay, RegionRelay]
    const [a, b, c] = [await login(one.url), await login(other.url), await login(slow.url)]
    await introduceEachOther(a, c)
    slow.program.child.kill('SIGSTOP')
    const flood = await connect({ servers: nats.url.replace('nats://', '') })
    const message = new Uint8Array(FLOOD.bytes)
    for (let n = 0; n < FLOOD.messages; n++) flood.publish('derp.test.beat.00000000000000ff', message)
    await flood.flush()
    await flood.close()
    await nats.program.stderrMatch(/Slow Consumer/)
    await introduceEachOther(a, b)
    slow.program.child.kill('SIGCONT')
    await heals(async () => {
      await slow.program.stderrMatch(/"msg":"left the region"[\s\S]*"msg":"joined the region"/)
      await untilRelaysMet([one, other, slow])
      await introduce(b, c)
    })
    await expectRelays(a, c)
    expect((await balanceOf([one, other, slow])).lostOnLinks).toBe(0)
  })

  test('has a relay with a wrong clock: its logins are refused and shown, until the clock is right (P-303)', async () => {
    const nats = await startNats()
    const [right] = (await startRelays([nats], 1)) as [RegionRelay]
    let skewMs = 20_000
    const clock = { ...systemClock, wallNow: () => systemClock.wallNow() + skewMs }
    const wrong = await startRelayInProcess(nats, clock)
    await untilMetric(right, 'gauge_region_relays', 1)
    await untilReadyz(right, /^ready\ndegraded: region-clock: clocks of other relays are ahead/)
    const [[, aheadMs] = []] = Object.entries(await right.metrics('gauge_region_clock_ahead_ms'))
    expect(aheadMs).toBeGreaterThan(15_000)
    await right.program.stderrMatch(/"msg":"clock of a relay is ahead: its logins are ignored"/)
    const [a, c] = [await login(right.url), await login(wrong.url)]
    a.packet(c.publicKey, new Uint8Array(8))
    await a.sync()
    while ((await right.metric('counter_region_logins_refused')) === 0) await sleep(systemClock, 20)
    await expectRelays(a, await login(right.url))
    skewMs = 0
    await heals(async () => {
      await untilReadyz(right, /^ready\n$/)
      await introduce(a, c)
      await introduce(a, await login(wrong.url))
    })
    const { dropped, lostOnLinks } = await untilBalanced(clients, async () => [
      await right.packetCounts(),
      wrong.packetCounts(),
    ])
    expect([dropped > 0, lostOnLinks]).toEqual([true, 0])
  })
})

/** A relay of the region in this process, with its own clock. */
async function startRelayInProcess(nats: NatsServer, clock: Clock) {
  const relay = await ListeningRelay.start({ meshKey: MeshKey.parse(REGION_MESH_KEY) })
  const { core } = relay.relay
  const url = `http://127.0.0.1:${relay.port}/derp`
  const ownId = relayIdOf(core.publicKey)
  const links = new MeshLinkCounters()
  const ports = { dial: linkDialer(core, {}), counters: links, clock, log: silentLog }
  const backplane = new Backplane({
    host: core,
    bus: new NatsBus({ servers: [nats.url], region: 'test', ownId, clock, log: silentLog }),
    openLink: (to, events) => new OnDemandLink(to, ports, events),
    ownKey: core.publicKey,
    url,
    clock,
    log: silentLog,
  })
  backplane.start()
  cleanups.push(async () => {
    await backplane.stop()
    await relay[Symbol.asyncDispose]()
  })
  await backplane.settled
  return { url, packetCounts: () => countsOf(core.counters, links) }
}

function countsOf(counters: RelayCounters, links: MeshLinkCounters): PacketCounts {
  const packets = (amounts: readonly Amount[]) => amounts.reduce((sum, amount) => sum + amount.packets, 0)
  return {
    received: counters.packetsReceivedDisco + counters.packetsReceivedOther,
    sent: counters.packetsSent,
    forwardedIn: counters.packetsForwardedIn,
    forwardedOut: counters.packetsForwardedOut,
    dropped: packets(Object.values(counters.dropped).flatMap(({ disco, other }) => [disco, other])),
    droppedOnLinks: packets(Object.values(links.dropped)),
  }
}
