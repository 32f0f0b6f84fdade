import { expect, test } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { silentLog } from '../../src/lib/log.ts'
import { Mesh } from '../../src/mesh/mesh.ts'
import { MeshLink } from '../../src/mesh/mesh-link.ts'
import { parseMeshWith } from '../../src/mesh/mesh-target.ts'
import type { MeshLinkSnapshot } from '../../src/metrics/mesh-counters.ts'
import { encodeServerToClient } from '../../src/protocol/encode.ts'
import { prometheusText } from '../../src/status/varz-prometheus.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { testMetrics } from '../support/metrics.ts'
import { MemoryTransport, nextMessage, TestRelay } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'
import { sendTo } from '../support/test-link.ts'

const meshKey = MeshKey.parse('ab'.repeat(32))
const RETRY_MS = 5_000
const JITTER_MS = 2_500
const RESTART_JITTER_MS = 500

/** Two relays on one clock, and links between them. */
function region() {
  const clock = new FakeClock()
  const [a, b] = [new TestRelay({ clock, meshKey }), new TestRelay({ clock, meshKey })]
  return { clock, a, b, ab: linkOf(a, b), ba: linkOf(b, a) }
}

/** A link from `from` to `to`, not started, with its transport. */
function linkOf(from: TestRelay, to: TestRelay, transport = new MemoryTransport(() => to.connect())) {
  const { privateKey } = from.core.options
  const client = to.client({ privateKey, meshKey, watchConnectionChanges: true, transport })
  const ports = {
    table: from.core,
    ownKey: from.core.publicKey,
    clock: from.clock,
    log: silentLog,
    random: () => 0.5,
    maxClients: 0,
  }
  return { link: new MeshLink('peer', client, ports), transport }
}

/** Runs the link until it is up; `over` resolves when it ends. */
async function up({ link }: { link: MeshLink }): Promise<{ over: Promise<void> }> {
  const over = link.run()
  await until(() => link.snapshot.state === 'up', 'the link is up')
  return { over }
}

const knows = (relay: TestRelay, key: NodePublicKey) => () => relay.core.routes.has(key)

/** Sends `bytes` from one relay's key to the other's. */
function forward(link: MeshLink, from: TestRelay, to: TestRelay, bytes: number): void {
  const [source, destination] = [from.core.publicKey, to.core.publicKey]
  sendTo(link.destinationFor(), { source, destination, data: new Uint8Array(bytes) })
}

async function exchange(from: Client, to: Client, byte: number): Promise<void> {
  await from.send(to.selfPublicKey(), Uint8Array.of(byte))
  const { source, data } = await nextMessage(to, 'receivedPacket')
  expect([source.toString(), [...data]]).toEqual([from.selfPublicKey().toString(), [byte]])
}

test('packets cross between two relays both ways, as does PeerGone (P-072, P-078)', async () => {
  const { a, b, ab, ba } = region()
  const early = await a.readyClient()
  await Promise.all([up(ab), up(ba)])
  const late = await b.readyClient()
  await until(knows(a, late.selfPublicKey()), 'a knows the client of b')
  await until(knows(b, early.selfPublicKey()), 'b knows the client of a')
  await exchange(early, late, 1)
  await exchange(late, early, 2)
  expect(ab.link.snapshot).toMatchObject({
    state: 'up',
    counters: { connects: 1, forwarded: { packets: 1, bytes: 1 } },
  })
  await late.close()
  expect(await nextMessage(early, 'peerGone')).toMatchObject({ peer: late.selfPublicKey(), reason: 0 })
  expect(a.core.routes.has(late.selfPublicKey())).toBe(false)
})

test('peers are counted once each, relays included (P-078)', async () => {
  const { b, ab } = region()
  await up(ab)
  const privateKey = NodePrivateKey.generate()
  await until(() => ab.link.snapshot.peers === 1, 'the link sees itself at the mesh peer')
  const [first, second] = [await b.readyClient({ privateKey }), await b.readyClient({ privateKey })]
  await until(() => ab.link.snapshot.peers === 2, 'both connections belong to one peer')
  await first.close()
  await settle()
  expect(ab.link.snapshot.peers).toBe(2)
  await second.close()
  await until(() => ab.link.snapshot.peers === 1, 'the peer is gone')
})

test('metrics exist for each link, and not without mesh peers (P-078, P-193)', async () => {
  const { a, b, ab } = region()
  const own = linkOf(a, a)
  await own.link.run()
  const text = async (mesh?: () => readonly MeshLinkSnapshot[]) =>
    prometheusText(await testMetrics(a.core, mesh && { mesh })())
  const links = () => [ab.link.snapshot, { ...own.link.snapshot, host: 'own' }]
  expect(await text(links)).toContain('derphttp_mesh_links 1\n')
  expect(await text(links)).toContain('derphttp_mesh_links_up 0\n')
  await up(ab)
  for (const { link } of [ab, own]) forward(link, a, b, 5)
  await until(() => ab.link.snapshot.counters.forwarded.packets === 1, 'the packet is written')
  const lines = (await text(links)).split('\n').filter(line => line.startsWith('derphttp_mesh_'))
  expect(lines).toEqual(
    expect.arrayContaining([
      'derphttp_mesh_links_up 1',
      'derphttp_mesh_link_peers{sibling="peer"} 1',
      'derphttp_mesh_link_connects{sibling="peer"} 1',
      'derphttp_mesh_link_connects{sibling="own"} 0',
      'derphttp_mesh_packets_forwarded{sibling="peer"} 1',
      'derphttp_mesh_bytes_forwarded{sibling="peer"} 5',
      'derphttp_mesh_packets_dropped{reason="link_down"} 1',
      'derphttp_mesh_packets_dropped{reason="queue_full"} 0',
    ]),
  )
  expect(await text()).not.toContain('derphttp_mesh_')
})

test('Mesh refuses a relay without a mesh key (P-078)', () => {
  const { core } = new TestRelay()
  expect(() => new Mesh(core, parseMeshWith('a.example'))).toThrow('-mesh-with needs the key from -mesh-psk-file')
})

test('a broken link withdraws its peers, and is redialled with jitter (P-078, P-215, P-216)', async () => {
  const { clock, a, b, ab } = region()
  await up(ab)
  const far = await b.readyClient()
  await until(knows(a, far.selfPublicKey()), 'a knows the client of b')
  ab.transport.conns[0]?.destroy()
  await until(() => ab.link.snapshot.state === 'connecting', 'the link is down')
  await until(() => !knows(a, far.selfPublicKey())(), 'the peer is forgotten')
  expect(ab.link.snapshot.peers).toBe(0)
  await settle()
  clock.advance(RETRY_MS)
  await settle()
  clock.advance(JITTER_MS / 2 - 1)
  await settle()
  expect(ab.transport.conns).toHaveLength(1)
  clock.advance(1)
  await until(knows(a, far.selfPublicKey()), 'a knows the client of b again')
  expect(ab.link.snapshot).toMatchObject({ state: 'up', counters: { connects: 2 } })
})

test('a link is redialled soon after a restart that was announced, then as usual (P-078, P-093)', async () => {
  const { clock, b, ab } = region()
  const { over } = await up(ab)
  const restart = encodeServerToClient({ type: 'serverRestarting', reconnectInMs: 0, tryForMs: 0 })
  for (const session of b.core.sessions) {
    session.sendControl(restart)
    session.end(() => {})
  }
  await until(() => {
    clock.advance(0)
    return clock.timersInMs.includes(RESTART_JITTER_MS / 2)
  }, 'it waits')
  clock.advance(RESTART_JITTER_MS / 2)
  await until(() => ab.link.snapshot.state === 'up', 'it is up again')
  expect(clock.timersInMs).not.toContain(RETRY_MS)
  ab.transport.conns[1]?.destroy()
  await until(() => clock.timersInMs.includes(RETRY_MS), 'it waits as usual')
  ab.link.stop()
  await over
})

test('a link to the relay itself is closed permanently (P-078, P-217)', async () => {
  const { clock, a } = region()
  const own = linkOf(a, a)
  await own.link.run()
  expect(own.link.snapshot).toMatchObject({ state: 'self', peers: 0 })
  await until(() => a.core.sessions.size === 0, 'the connection is closed')
  clock.advance(10 * RETRY_MS)
  await settle()
  expect(own.transport.conns).toHaveLength(1)
})

test('a link that the mesh peer rejects stays down and forwards nothing (P-038, P-078)', async () => {
  const clock = new FakeClock()
  const a = new TestRelay({ clock, meshKey })
  const stranger = new TestRelay({ clock, meshKey: MeshKey.parse('cd'.repeat(32)) })
  const { link } = linkOf(a, stranger)
  void link.run()
  await until(() => Object.keys(stranger.core.counters.failures).length > 0, 'the mesh peer has closed the connection')
  await until(() => link.snapshot.state === 'connecting', 'the link is down')
  expect(link.snapshot.peers).toBe(0)
  forward(link, a, stranger, 7)
  expect(link.snapshot.counters.dropped.link_down).toEqual({ packets: 1, bytes: 7 })
  link.stop()
})

test('a mesh peer that stops reading loses only packets for its clients, the oldest first, all counted (P-078)', async () => {
  const { clock, a, b } = region()
  const [near, theirs] = memoryConnPair()
  const ab = linkOf(a, b, new MemoryTransport(() => near))
  b.core.accept(theirs)
  await up(ab)
  const [sender, neighbour, far] = [await a.readyClient(), await a.readyClient(), await b.readyClient()]
  await until(knows(a, far.selfPublicKey()), 'a knows the client of b')
  theirs.pause()
  const packets = 2_000
  for (let n = 0; n < packets; n++) {
    const data = new Uint8Array(10_000)
    data.set([n >> 8, n & 255])
    await sender.send(far.selfPublicKey(), data)
  }
  await exchange(sender, neighbour, 9)
  const { dropped, forwarded } = ab.link.snapshot.counters
  expect(dropped.queue_full.packets).toBeGreaterThan(1_000)
  expect(forwarded.packets).toBeLessThan(10)
  theirs.resume()
  await until(() => forwarded.packets + dropped.queue_full.packets === packets, 'all are accounted for')
  expect(dropped.queue_full.bytes).toBe(dropped.queue_full.packets * 10_000)
  let last = -1
  while (last !== packets - 1) {
    const { data } = await nextMessage(far, 'receivedPacket')
    const n = ((data[0] ?? 0) << 8) | (data[1] ?? 0)
    expect(n).toBeGreaterThan(last)
    last = n
  }
  expect(clock.now()).toBe(0)
})

test('packets queued and in flight when the link breaks are counted (P-078)', async () => {
  const { a, b } = region()
  const [near, theirs] = memoryConnPair()
  const ab = linkOf(a, b, new MemoryTransport(() => near))
  b.core.accept(theirs)
  await up(ab)
  theirs.pause()
  for (let n = 0; n < 20; n++) forward(ab.link, a, b, 60_000)
  await settle(1)
  near.destroy()
  await until(() => ab.link.snapshot.state === 'connecting', 'the link is down')
  const { dropped, forwarded } = ab.link.snapshot.counters
  await until(() => dropped.write_error.packets > 0, 'the pending packets have failed')
  expect(dropped).toEqual({
    queue_full: { packets: 0, bytes: 0 },
    write_error: { packets: 10, bytes: 600_000 },
    link_down: { packets: 10, bytes: 600_000 },
  })
  expect(forwarded.packets).toBe(0)
  ab.link.stop()
})

test('stop closes the link and leaves no state (P-078)', async () => {
  const { clock, a, b, ab } = region()
  const { over } = await up(ab)
  const far = await b.readyClient()
  await until(knows(a, far.selfPublicKey()), 'a knows the client of b')
  await far.close()
  ab.link.stop()
  await over
  expect(ab.link.snapshot).toMatchObject({ state: 'stopped', peers: 0 })
  expect(a.core.routes.has(far.selfPublicKey())).toBe(false)
  await until(() => b.core.sessions.size === 0, 'the mesh peer has seen the close')
  for (const relay of [a, b]) relay.core.close()
  expect(clock.pendingTimers).toBe(0)
})

test('stop while waiting to redial returns immediately', async () => {
  const { a, ab } = region()
  const { over } = await up(ab)
  ab.transport.conns[0]?.destroy()
  await until(() => ab.link.snapshot.state === 'connecting', 'the link is down')
  ab.link.stop()
  await over
  expect([ab.link.snapshot.state, a.core.routes.has(a.core.publicKey)]).toEqual(['stopped', false])
})
