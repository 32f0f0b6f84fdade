/** Exact effect of frames on the metrics. */

import { setTimeout as delay } from 'node:timers/promises'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { PATIENCE_MS } from '../../support/patience.ts'
import { payload } from '../../support/payload.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import {
  discoPacket,
  equal,
  expectClosed,
  expectPacket,
  expectRelays,
  ok,
  STANDSTILL_MS,
  strangerKey,
  withinMs,
} from '../check.ts'
import { goneBy, moves, untilConnections } from '../counters.ts'
import { depart, nextNews } from '../presence.ts'
import type { Target } from '../target.ts'

const one = (target: Target): Promise<RawClient> => target.login()
const pair = async (target: Target): Promise<[RawClient, RawClient]> => [await target.login(), await target.login()]
const meshPeerAndOne = async (target: Target): Promise<[RawClient, RawClient]> => [
  await target.mesh(),
  await target.login(),
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
      const data = payload(20_000, 1)
      await withinMs(STANDSTILL_MS, async timed => {
        const [a, b] = await pair(target)
        const before = await totals(target)
        await timed(async () => {
          b.conn.pause()
          for (let n = 0; n < 400; n++) a.packet(b.publicKey, data)
          await a.sync()
          b.conn.resume()
        })
        await b.sync()
        const until = performance.now() + PATIENCE_MS
        let after = await totals(target)
        while (after.sent + after.dropped < before.sent + before.dropped + 400 && performance.now() < until) {
          await delay(50)
          after = await totals(target)
        }
        equal(after.received - before.received, 400)
        equal(after.sent + after.dropped - before.sent - before.dropped, 400)
        ok(after.dropped > before.dropped, 'some had to be dropped')
        equal(after.displaced - before.displaced, after.dropped - before.dropped, 'by newer ones')
      })
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
    'disconnected-not-for-a-receiver-that-left',
    goneBy(2),
    async target => {
      const [source, receiver] = await pair(target)
      await expectRelays(source, receiver)
      return [receiver, source] as const
    },
    async ([receiver, source], target) => {
      await depart(receiver)
      await untilConnections(target, 1)
      await depart(source)
    },
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
      const meshPeer = await target.mesh()
      const updates = async (): Promise<Record<string, number>> => {
        const derp = (await target.vars())['derp'] as Record<string, Record<string, number>>
        return derp['counter_mesh_update_batch_size'] ?? {}
      }
      const before = await updates()
      meshPeer.send({ type: 'watchConns' })
      await nextNews(meshPeer, meshPeer.publicKey)
      await meshPeer.sync()
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
    meshPeerAndOne,
    async ([meshPeer]) => {
      meshPeer.send({ type: 'watchConns' })
      meshPeer.send({ type: 'watchConns' })
      await nextNews(meshPeer, meshPeer.publicKey)
    },
    ['mesh'],
  ),
  moves(
    'watcher-that-leaves',
    { ...goneBy(1), gauge_watchers: -1 },
    async target => {
      const meshPeer = await target.mesh()
      meshPeer.send({ type: 'watchConns' })
      await nextNews(meshPeer, meshPeer.publicKey)
      return meshPeer
    },
    depart,
    ['mesh'],
  ),
  moves(
    'gone-as-told-to-a-watcher',
    { ...goneBy(1), peer_gone_disconnected_frames: 1 },
    async target => {
      const [meshPeer, peer] = [await target.mesh(), await target.login()]
      meshPeer.send({ type: 'watchConns' })
      await nextNews(meshPeer, peer.publicKey)
      return peer
    },
    depart,
    ['mesh'],
  ),
  moves(
    'forwarded-packet',
    { packets_forwarded_in: 1, packets_sent: 1, bytes_sent: 100 },
    meshPeerAndOne,
    async ([meshPeer, { publicKey }]) =>
      meshPeer.send({ type: 'forwardPacket', source: strangerKey(), destination: publicKey, data: payload(100, 1) }),
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
    meshPeerAndOne,
    async ([meshPeer]) => {
      for (const data of [payload(50, 1), discoPacket()])
        meshPeer.send({ type: 'forwardPacket', source: strangerKey(), destination: strangerKey(), data })
      await meshPeer.messageOf('peerGone')
    },
    ['mesh'],
  ),
  moves(
    'close-peer',
    goneBy(1),
    meshPeerAndOne,
    async ([meshPeer, peer]) => {
      meshPeer.send({ type: 'closePeer', peer: peer.publicKey })
      await expectClosed(peer)
    },
    ['mesh'],
  ),
]

async function totals(
  target: Target,
): Promise<Record<'received' | 'sent' | 'dropped' | 'displaced' | 'timeouts', number>> {
  const derp = (await target.vars())['derp'] as Record<string, number>
  const { body } = await target.http('/debug/varz')
  const drops = Array.from(body.matchAll(/^derp_packets_dropped\{(.*)\} (\d+)$/gm), ([, labels = '', value]) => ({
    labels,
    packets: Number(value),
  }))
  const sum = (found: typeof drops): number => found.reduce((total, { packets }) => total + packets, 0)
  return {
    received: derp['packets_received'] ?? Number.NaN,
    sent: derp['packets_sent'] ?? Number.NaN,
    dropped: sum(drops),
    displaced: sum(drops.filter(({ labels }) => labels.includes('reason="queue_head"'))),
    timeouts: derp['sclient_write_timeouts'] ?? Number.NaN,
  }
}

export const trafficMetricsCases: readonly ConformanceCase[] = [...packets, ...gone, ...mesh]
