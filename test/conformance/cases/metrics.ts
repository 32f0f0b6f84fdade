/** What traffic does to the metrics: exactly this, and nothing else. */

import { setTimeout as delay } from 'node:timers/promises'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { payload } from '../../support/payload.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase, Need } from '../case.ts'
import { discoPacket, equal, expectClosed, expectPacket, expectRelays, ok, strangerKey } from '../check.ts'
import { type Deltas, expectDeltas } from '../counters.ts'
import { depart, nextNews } from '../presence.ts'
import type { Target } from '../target.ts'

/** `prepare` may connect and exchange; what `act` then does moves the counters. */
const moves = <T>(
  id: string,
  expected: Deltas,
  prepare: (target: Target) => Promise<T>,
  act: (prepared: T, target: Target) => Promise<void>,
  needs: readonly Need[] = [],
): ConformanceCase => ({
  id: `metrics/${id}`,
  clauses: ['P-192', 'P-194', ...(Object.keys(expected).some(name => name.startsWith('dropped')) ? ['P-102'] : [])],
  needs: ['debug', ...needs],
  async run(target) {
    const prepared = await prepare(target)
    await expectDeltas(target, expected, () => act(prepared, target))
  },
})

const nothing = async (): Promise<void> => {}
const one = (target: Target): Promise<RawClient> => target.login()
const pair = async (target: Target): Promise<[RawClient, RawClient]> => [await target.login(), await target.login()]
const siblingAndOne = async (target: Target): Promise<[RawClient, RawClient]> => [
  await target.mesh(),
  await target.login(),
]

/** Connections of one key, and that key. */
async function duplicates(target: Target, count: number): Promise<{ privateKey: NodePrivateKey; all: RawClient[] }> {
  const privateKey = NodePrivateKey.generate()
  const all: RawClient[] = []
  while (all.length < count) all.push(await target.login({ privateKey }))
  return { privateKey, all }
}

const connections: ConformanceCase[] = [
  moves('a-connection-without-login', { accepts: 1 }, nothing, async (_, target) => {
    await (await target.connect()).greeting()
  }),
  moves('failed-logins', { accepts: 3 }, nothing, async (_, target) => {
    for (let n = 0; n < 3; n++) {
      const client = await target.connect()
      await client.greeting()
      client.sendBytes(encodeFrame(FrameType.ClientInfo, new Uint8Array(100).fill(n + 1)))
      await expectClosed(client)
    }
  }),
  moves(
    'logins',
    { accepts: 3, gauge_clients_local: 3, gauge_clients_total: 3, gauge_current_connections: 3 },
    nothing,
    async (_, target) => {
      for (let n = 0; n < 3; n++) await target.login()
    },
  ),
  moves(
    'departures',
    { gauge_clients_local: -2, gauge_clients_total: -2, gauge_current_connections: -2 },
    pair,
    async clients => {
      for (const client of clients) await depart(client)
    },
  ),
  moves('login-and-departure', { accepts: 1 }, nothing, async (_, target) => depart(await target.login())),
  moves('hostile-connections-leave-no-trace', { accepts: 20 }, nothing, async (_, target) => {
    for (let n = 0; n < 20; n++) {
      const client = await target.connect()
      client.sendBytes(payload(n * 50, n + 1))
      await client.flushed()
      client.close()
    }
  }),
]

const homes: ConformanceCase[] = [
  moves('home', { gauge_current_home_connections: 1 }, one, async client => {
    client.send({ type: 'notePreferred', preferred: true })
    client.send({ type: 'notePreferred', preferred: true })
  }),
  moves('home-and-not', {}, one, async client => {
    client.send({ type: 'notePreferred', preferred: true })
    client.send({ type: 'notePreferred', preferred: false })
    client.send({ type: 'notePreferred', preferred: false })
    await client.flushed()
    await delay(50)
  }),
  moves(
    'home-that-leaves',
    {
      gauge_clients_local: -1,
      gauge_clients_total: -1,
      gauge_current_connections: -1,
      gauge_current_home_connections: -1,
    },
    async target => {
      const client = await target.login()
      client.send({ type: 'notePreferred', preferred: true })
      await client.flushed()
      await delay(50)
      return client
    },
    depart,
  ),
  {
    ...moves(
      'home-moves-after-five-seconds',
      { home_moves_in: 2, home_moves_out: 1, gauge_current_home_connections: 1 },
      async target => {
        const client = await target.login()
        await delay(5_200)
        return client
      },
      async client => {
        for (const preferred of [true, false, true]) client.send({ type: 'notePreferred', preferred })
      },
    ),
    slow: true,
  },
  moves(
    'not-ideal',
    {
      accepts: 1,
      gauge_clients_local: 1,
      gauge_clients_total: 1,
      gauge_current_connections: 1,
      gauge_current_notideal_connections: 1,
    },
    nothing,
    async (_, target) => void (await target.login({ headers: { 'Ideal-Node': 'derp1a' } })),
    ['raw'],
  ),
]

const sharing: ConformanceCase[] = [
  moves(
    'second-connection-of-a-key',
    {
      accepts: 1,
      counter_total_dup_client_conns: 1,
      gauge_current_connections: 1,
      gauge_current_dup_client_conns: 2,
      gauge_current_dup_client_keys: 1,
    },
    target => duplicates(target, 1),
    async ({ privateKey }, target) => void (await target.login({ privateKey })),
  ),
  moves(
    'third-connection-of-a-key',
    {
      accepts: 1,
      counter_total_dup_client_conns: 1,
      gauge_current_connections: 1,
      gauge_current_dup_client_conns: 1,
    },
    target => duplicates(target, 2),
    async ({ privateKey }, target) => void (await target.login({ privateKey })),
  ),
  moves(
    'one-of-three-leaves',
    { gauge_current_connections: -1, gauge_current_dup_client_conns: -1 },
    target => duplicates(target, 3),
    ({ all }) => depart(all[1] as RawClient),
  ),
  moves(
    'one-of-two-leaves',
    { gauge_current_connections: -1, gauge_current_dup_client_conns: -2, gauge_current_dup_client_keys: -1 },
    target => duplicates(target, 2),
    ({ all }) => depart(all[0] as RawClient),
  ),
]

const packets: ConformanceCase[] = [
  moves(
    'packet',
    { packets_received: 1, packets_sent: 1, bytes_received: 1_000, bytes_sent: 1_000, 'received:other': 1 },
    pair,
    async ([a, b]) => {
      a.packet(b.publicKey, payload(1_000, 1))
      await expectPacket(b, a, payload(1_000, 1))
    },
  ),
  moves('empty-packets', { packets_received: 2, packets_sent: 2, 'received:other': 2 }, pair, async ([a, b]) => {
    for (let n = 0; n < 2; n++) {
      a.packet(b.publicKey, new Uint8Array(0))
      await expectPacket(b, a, new Uint8Array(0))
    }
  }),
  moves(
    'disco-packets',
    {
      packets_received: 3,
      packets_sent: 3,
      bytes_received: 223,
      bytes_sent: 223,
      'received:disco': 2,
      'received:other': 1,
    },
    pair,
    async ([a, b]) => {
      for (const size of [62, 100, 61]) {
        a.packet(b.publicKey, discoPacket(size))
        await expectPacket(b, a, discoPacket(size))
      }
    },
  ),
  moves(
    'packet-to-oneself',
    { packets_received: 1, packets_sent: 1, bytes_received: 5, bytes_sent: 5, 'received:other': 1 },
    one,
    async client => {
      client.packet(client.publicKey, payload(5, 1))
      await expectPacket(client, client, payload(5, 1))
    },
  ),
  moves(
    'packets-for-nobody',
    {
      packets_received: 2,
      bytes_received: 150,
      'received:other': 2,
      'dropped:unknown_dest:other': 2,
      'dropped-bytes:unknown_dest:other': 150,
    },
    one,
    async client => {
      client.packet(strangerKey(), payload(50, 1))
      client.packet(strangerKey(), payload(100, 1))
    },
  ),
  moves(
    'disco-for-nobody',
    {
      packets_received: 5,
      bytes_received: 310,
      'received:disco': 5,
      'dropped:unknown_dest:disco': 5,
      'dropped-bytes:unknown_dest:disco': 310,
      peer_gone_not_here_frames: 3,
    },
    one,
    async client => {
      for (let n = 0; n < 5; n++) client.packet(strangerKey(), discoPacket())
    },
  ),
  moves('refused-packet', goneBy(1), pair, async ([a, b]) => {
    a.sendBytes(encodeFrame(FrameType.SendPacket, b.publicKey.bytes, new Uint8Array(65_537)))
    await expectClosed(a)
  }),
  moves('unknown-frames', {}, one, async client => {
    for (let n = 0; n < 5; n++) client.sendBytes(encodeFrame(0x77 as FrameType, payload(500, 1)))
    await client.flushed()
    await delay(50)
  }),
  moves('pings', { got_ping: 5, sent_pong: 5 }, one, async client => {
    for (let n = 0; n < 5; n++) await client.sync()
  }),
  moves('refused-ping', { ...goneBy(1), got_ping: 1 }, one, async client => {
    client.sendBytes(encodeFrame(FrameType.Ping, new Uint8Array(7)))
    await expectClosed(client)
  }),
  {
    id: 'metrics/a-flood-is-sent-or-dropped',
    clauses: ['P-100', 'P-102', 'P-194'],
    needs: ['debug'],
    async run(target) {
      const [a, b] = await pair(target)
      const before = await totals(target)
      b.conn.pause()
      for (let n = 0; n < 400; n++) a.packet(b.publicKey, payload(20_000, n))
      await a.sync()
      b.conn.resume()
      await b.sync()
      const until = performance.now() + 2_500
      let after = await totals(target)
      while (after.sent + after.dropped < before.sent + before.dropped + 400 && performance.now() < until) {
        await delay(50)
        after = await totals(target)
      }
      equal(after.received - before.received, 400)
      equal(after.sent + after.dropped - before.sent - before.dropped, 400)
      ok(after.dropped > before.dropped, 'some had to be dropped')
    },
  },
  {
    id: 'metrics/a-write-timeout',
    clauses: ['P-101', 'P-102', 'P-194'],
    // Over WebSocket the original does not recognise its own timeout.
    needs: ['debug', 'raw'],
    alone: true,
    async run(target) {
      const [a, blocked] = await pair(target)
      await expectRelays(blocked, a)
      const before = await totals(target)
      blocked.conn.pause()
      let sent = 0
      const flood = setInterval(() => {
        for (let n = 0; n < 20; n++, sent++) a.packet(blocked.publicKey, payload(60_000, n))
      }, 50)
      await a.messageOf('peerGone').finally(() => clearInterval(flood))
      await a.sync()
      const after = await totals(target)
      equal(after.timeouts - before.timeouts, 1)
      equal(after.received - before.received, sent)
      equal(after.sent + after.dropped - before.sent - before.dropped, sent, 'each packet is sent or dropped')
    },
  },
]

const gone: ConformanceCase[] = [
  moves(
    'disconnected',
    { ...goneBy(1), peer_gone_disconnected_frames: 2 },
    async target => {
      const [source, b, c] = [await target.login(), await target.login(), await target.login()]
      await expectRelays(source, b)
      await expectRelays(source, c)
      await expectRelays(b, c)
      return source
    },
    depart,
  ),
  moves(
    'disconnected-once-for-a-connection',
    { accepts: 1, packets_received: 1, packets_sent: 1, bytes_received: 40, bytes_sent: 40, 'received:other': 1 },
    async target => {
      const [privateKey, receiver] = [NodePrivateKey.generate(), await target.login()]
      const source = await target.login({ privateKey })
      await expectRelays(source, receiver)
      await depart(source)
      await nextNews(receiver, source.publicKey)
      return { privateKey, receiver }
    },
    async ({ privateKey, receiver }, target) => {
      const source = await target.login({ privateKey })
      await expectRelays(source, receiver)
      await depart(source)
    },
  ),
]

const mesh: ConformanceCase[] = [
  {
    id: 'metrics/mesh-updates',
    clauses: ['P-070', 'P-194'],
    needs: ['debug', 'mesh'],
    async run(target) {
      for (let n = 0; n < 7; n++) await target.login()
      const sibling = await target.mesh()
      const updates = async (): Promise<Record<string, number>> => {
        const derp = (await target.vars())['derp'] as Record<string, Record<string, number>>
        return derp['counter_mesh_update_batch_size'] ?? {}
      }
      const before = await updates()
      sibling.send({ type: 'watchConns' })
      await nextNews(sibling, sibling.publicKey)
      await sibling.sync()
      const after = await updates()
      const risen = (name: string): number => (after[name] ?? Number.NaN) - (before[name] ?? Number.NaN)
      equal(risen('count'), 1, 'batches')
      ok(risen('sum') >= 8, 'changes in them')
      equal(risen('5'), 0, 'of up to five')
    },
  },
  moves(
    'watcher',
    { gauge_watchers: 1 },
    siblingAndOne,
    async ([sibling]) => {
      sibling.send({ type: 'watchConns' })
      sibling.send({ type: 'watchConns' })
      await nextNews(sibling, sibling.publicKey)
    },
    ['mesh'],
  ),
  moves(
    'watcher-that-leaves',
    { ...goneBy(1), gauge_watchers: -1 },
    async target => {
      const sibling = await target.mesh()
      sibling.send({ type: 'watchConns' })
      await nextNews(sibling, sibling.publicKey)
      return sibling
    },
    depart,
    ['mesh'],
  ),
  moves(
    'gone-as-told-to-a-watcher',
    { ...goneBy(1), peer_gone_disconnected_frames: 1 },
    async target => {
      const [sibling, peer] = [await target.mesh(), await target.login()]
      sibling.send({ type: 'watchConns' })
      await nextNews(sibling, peer.publicKey)
      return peer
    },
    depart,
    ['mesh'],
  ),
  moves(
    'forwarded-packet',
    { packets_forwarded_in: 1, packets_sent: 1, bytes_sent: 100 },
    siblingAndOne,
    async ([sibling, { publicKey }]) =>
      sibling.send({ type: 'forwardPacket', source: strangerKey(), destination: publicKey, data: payload(100, 1) }),
    ['mesh'],
  ),
  moves(
    'forwarded-packet-for-nobody',
    {
      packets_forwarded_in: 2,
      peer_gone_not_here_frames: 1,
      'dropped:unknown_dest_on_fwd:other': 1,
      'dropped-bytes:unknown_dest_on_fwd:other': 50,
      'dropped:unknown_dest_on_fwd:disco': 1,
      'dropped-bytes:unknown_dest_on_fwd:disco': 62,
    },
    siblingAndOne,
    async ([sibling]) => {
      for (const data of [payload(50, 1), discoPacket()])
        sibling.send({ type: 'forwardPacket', source: strangerKey(), destination: strangerKey(), data })
      await sibling.messageOf('peerGone')
    },
    ['mesh'],
  ),
  moves(
    'close-peer',
    goneBy(1),
    siblingAndOne,
    async ([sibling, peer]) => {
      sibling.send({ type: 'closePeer', peer: peer.publicKey })
      await expectClosed(peer)
    },
    ['mesh'],
  ),
]

/** Connections of `count` keys are no more. */
function goneBy(count: number): Deltas {
  return { gauge_clients_local: -count, gauge_clients_total: -count, gauge_current_connections: -count }
}

async function totals(target: Target): Promise<Record<'received' | 'sent' | 'dropped' | 'timeouts', number>> {
  const derp = (await target.vars())['derp'] as Record<string, number>
  const { body } = await target.http('/debug/varz')
  const drops = Array.from(body.matchAll(/^derp_packets_dropped\{.*\} (\d+)$/gm), ([, value]) => Number(value))
  return {
    received: derp['packets_received'] ?? Number.NaN,
    sent: derp['packets_sent'] ?? Number.NaN,
    dropped: drops.reduce((sum, value) => sum + value, 0),
    timeouts: derp['sclient_write_timeouts'] ?? Number.NaN,
  }
}

export const metricsCases: readonly ConformanceCase[] = [
  ...connections,
  ...homes,
  ...sharing,
  ...packets,
  ...gone,
  ...mesh,
  {
    id: 'metrics/all-drop-counters-exist-from-the-start',
    clauses: ['P-102', 'P-195'],
    needs: ['debug'],
    async run(target) {
      const { body } = await target.http('/debug/varz')
      for (const unit of ['packets', 'bytes']) {
        equal(body.match(new RegExp(`^derp_${unit}_dropped\\{`, 'gm'))?.length, 14, unit)
      }
      const vars = await target.vars()
      equal(vars['derp_packets_dropped'], 'MultiLabelMap')
      equal(vars['derp_bytes_dropped'], 'MultiLabelMap')
    },
  },
  {
    id: 'metrics/consistency-check',
    clauses: ['P-197'],
    needs: ['debug'],
    async run(target) {
      for (let n = 0; n < 3; n++) await target.login()
      const { status, body } = await target.http('/debug/check')
      equal(status, 200, body)
      equal(body.trim(), 'derp.Server ConsistencyCheck okay')
    },
  },
]
