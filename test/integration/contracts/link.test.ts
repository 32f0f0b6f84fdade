/** The contract of `Link` and its destinations, for every implementation. */

import { describe, expect, test } from 'vitest'
import { OnDemandLink } from '../../../src/backplane/on-demand-link.ts'
import { relayIdOf } from '../../../src/backplane/stamp.ts'
import { linkOf } from '../../../src/client/client.ts'
import { MeshKey } from '../../../src/keys/mesh-key.ts'
import { NodePrivateKey, type NodePublicKey } from '../../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../../src/lib/bytes.ts'
import { silentLog } from '../../../src/lib/log.ts'
import type { LinkConnection } from '../../../src/mesh/dial-link.ts'
import { MeshLink } from '../../../src/mesh/mesh-link.ts'
import type { RelayCounters } from '../../../src/metrics/counters.ts'
import { MeshLinkCounters } from '../../../src/metrics/mesh-counters.ts'
import type { Destination } from '../../../src/server/ports.ts'
import { memoryConnPair } from '../../../src/transport/memory-conn.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { atRest, MemoryWorkers } from '../../support/memory-workers.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { MemoryTransport, nextMessage, TestRelay } from '../../support/relay.ts'
import { settle, until } from '../../support/settle.ts'
import { sendTo, TestLink } from '../../support/test-link.ts'

const PACKET_BYTES = 60_000
/** More than any link may queue for a stalled peer. */
const PACKETS = 1_000
const MOST_KEPT_BYTES = 16 << 20

/** A link with a client behind it. */
interface LinkUnderTest {
  readonly client: NodePublicKey
  /** The route to the client. */
  readonly destination: Destination
  /** Packets received at the other end, by the start of their text. */
  readonly received: string[]
  /** Packets dropped by the link or after it. */
  dropped(): number
  /** Stops the other end from reading. */
  stall(): void
  resume(): void
  /** Resolves when the link is down. */
  breakDown(): Promise<void>
  /** Resolves when nothing is in flight, unless the other end is stalled. */
  rest(): Promise<void>
}

const textOf = (data: Uint8Array) => new TextDecoder().decode(data.subarray(0, 20))

function droppedBy({ dropped }: RelayCounters): number {
  return Object.values(dropped).reduce((sum, { disco, other }) => sum + disco.packets + other.packets, 0)
}

async function meshLink(): Promise<LinkUnderTest> {
  const clock = new FakeClock()
  const meshKey = MeshKey.parse('5b'.repeat(32))
  const [near, far] = [new TestRelay({ clock, meshKey }), new TestRelay({ clock, meshKey })]
  const [conn, farConn] = memoryConnPair()
  far.core.accept(farConn)
  const { privateKey } = near.core.options
  const transport = new MemoryTransport(() => conn)
  const linkClient = far.client({ privateKey, meshKey, watchConnectionChanges: true, transport })
  const ports = { table: near.core, ownKey: near.core.publicKey, clock, log: silentLog, random: () => 0, maxClients: 0 }
  const link = new MeshLink('far', linkClient, ports)
  void link.run()
  const client = await far.readyClient()
  const key = client.selfPublicKey()
  await until(() => near.core.routes.has(key), 'the client is announced')
  const received: string[] = []
  void (async () => {
    for (;;) {
      const message = await client.recv()
      if (message.type === 'receivedPacket') received.push(textOf(message.data))
    }
  })().catch(() => {})
  return {
    client: key,
    destination: near.core.routes.get(key.bytes) as Destination,
    received,
    dropped: () => {
      const drops = Object.values(link.snapshot.counters.dropped)
      return drops.reduce((sum, { packets }) => sum + packets, 0) + droppedBy(far.core.counters)
    },
    stall: () => farConn.pause(),
    resume: () => farConn.resume(),
    breakDown: async () => {
      conn.destroy()
      await until(() => !near.core.routes.has(key), 'the client is withdrawn')
      link.stop()
    },
    rest: () => settle(50),
  }
}

/** Opened by its first packet. */
async function regionLink(): Promise<LinkUnderTest> {
  const clock = new FakeClock()
  const meshKey = MeshKey.parse('5b'.repeat(32))
  const far = new TestRelay({ clock, meshKey })
  const [conn, farConn] = memoryConnPair()
  const privateKey = NodePrivateKey.generate()
  const transport = new MemoryTransport(() => conn)
  const linkClient = far.client({ privateKey, meshKey, transport })
  let dials = 0
  const dial = async () => {
    if (dials++ > 0) throw new Error('the far relay is gone')
    far.core.accept(farConn)
    await nextMessage(linkClient, 'serverInfo')
    return linkOf(linkClient)?.derp as LinkConnection
  }
  const counters = new MeshLinkCounters()
  const relay = { id: relayIdOf(far.core.publicKey), url: 'https://far.test/derp' }
  const link = new OnDemandLink(relay, { dial, counters, clock, log: silentLog }, { onNotHere() {} })
  const client = await far.readyClient()
  const received: string[] = []
  void (async () => {
    for (;;) received.push(textOf((await nextMessage(client, 'receivedPacket')).data))
  })().catch(() => {})
  return {
    client: client.selfPublicKey(),
    destination: link,
    received,
    dropped: () => {
      const drops = Object.values(counters.dropped)
      return drops.reduce((sum, { packets }) => sum + packets, 0) + droppedBy(far.core.counters)
    },
    stall: () => farConn.pause(),
    resume: () => farConn.resume(),
    breakDown: async () => {
      sendTo(link, { source: privateKey.publicKey(), destination: client.selfPublicKey(), data: new Uint8Array(20) })
      await until(() => link.isUp, 'the link is up')
      await settle(50)
      received.length = 0
      conn.destroy()
      await until(() => !link.isUp, 'the link is down')
      clock.advance(1_000)
    },
    rest: () => settle(50),
  }
}

function receivedBy(client: RawClient): string[] {
  const received: string[] = []
  void (async () => {
    for (;;) received.push(textOf((await client.messageOf('receivedPacket')).data))
  })().catch(() => {})
  return received
}

async function workerLink(): Promise<LinkUnderTest> {
  const workers = await MemoryWorkers.start()
  const client = await workers.login(1)
  const [near, far] = [workers.core(0).counters, workers.core(1).counters]
  return {
    client: client.publicKey,
    destination: workers.core(0).routes.get(client.publicKey.bytes) as Destination,
    received: receivedBy(client),
    dropped: () => droppedBy(near) + droppedBy(far),
    stall: () => {
      workers.courier.isHeld = true
    },
    resume: () => workers.courier.release(),
    breakDown: async () => {
      workers.crash(1)
      await atRest(workers)
    },
    rest: () => (workers.courier.isHeld ? settle() : atRest(workers)),
  }
}

async function coordinatorLink(): Promise<LinkUnderTest> {
  const workers = await MemoryWorkers.start()
  const behind = new TestLink(workers.coordinator)
  const client = NodePrivateKey.generate().publicKey()
  behind.routes.announce(client)
  await atRest(workers)
  return {
    client,
    destination: workers.core(0).routes.get(client.bytes) as Destination,
    get received() {
      return behind.texts.map(text => text.slice(0, 20))
    },
    dropped: () => droppedBy(workers.core(0).counters) + droppedBy(workers.coordinator.counters),
    stall: () => {
      workers.courier.isHeld = true
    },
    resume: () => workers.courier.release(),
    breakDown: async () => {
      behind.routes.withdrawAll()
      await atRest(workers)
    },
    rest: () => (workers.courier.isHeld ? settle() : atRest(workers)),
  }
}

const LINKS: readonly (readonly [name: string, open: () => Promise<LinkUnderTest>])[] = [
  ['mesh link', meshLink],
  ['region link', regionLink],
  ['link to another worker', workerLink],
  ['link to the coordinator', coordinatorLink],
]

describe.each(LINKS)('%s', (_, open) => {
  const source = NodePrivateKey.generate().publicKey()
  /** Sends a packet that starts with `text`; returns its buffer. */
  const send = ({ client, destination }: LinkUnderTest, text: string, size = 20) => {
    const data = new Uint8Array(size).fill(0x20)
    data.set(encodeUtf8(text))
    return sendTo(destination, { source, destination: client, data })
  }
  const numbered = (n: number) => `packet ${n}`.padEnd(20)

  test('carries packets of every size in order', async () => {
    const link = await open()
    const sizes = [20, 65_536, 1_280, 21]
    for (const [n, size] of sizes.entries()) send(link, numbered(n), size)
    await link.rest()
    expect(link.received).toEqual(sizes.map((_size, n) => numbered(n)))
    expect(link.dropped()).toBe(0)
  })

  test('copies packets that it keeps beyond the turn', async () => {
    const link = await open()
    link.stall()
    const buffers = [0, 1, 2].map(n => send(link, numbered(n)))
    await settle()
    for (const buffer of buffers) buffer.fill(0xff)
    link.resume()
    await link.rest()
    expect(link.received).toEqual([0, 1, 2].map(numbered))
  })

  test('bounds its queue, and counts each dropped packet', async () => {
    const link = await open()
    link.stall()
    for (let n = 0; n < PACKETS; n++) {
      send(link, numbered(n), PACKET_BYTES)
      if (n % 10 === 0) await settle(1)
    }
    expect(link.dropped()).toBeGreaterThan(0)
    expect((PACKETS - link.dropped()) * PACKET_BYTES).toBeLessThan(MOST_KEPT_BYTES)
    link.resume()
    await link.rest()
    expect(link.received.length + link.dropped()).toBe(PACKETS)
    const numbers = link.received.map(text => Number(text.slice(7)))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  })

  test('drops and counts packets while it is down, and never throws', async () => {
    const link = await open()
    await link.breakDown()
    const before = link.dropped()
    for (let n = 0; n < 3; n++) send(link, numbered(n))
    await link.rest()
    expect([link.received, link.dropped() - before]).toEqual([[], 3])
  })
})
