/** What the mesh key entitles to: watching, forwarding, closing. */

import { setTimeout as delay } from 'node:timers/promises'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { PeerPresentFlag } from '../../../src/protocol/messages.ts'
import { payload } from '../../support/payload.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase, Need } from '../case.ts'
import { deepEqual, equal, expectClosed, expectNothingBut, expectRelays, ok } from '../check.ts'
import { caughtUp, depart, newsOf, nextNews } from '../presence.ts'
import type { Target } from '../target.ts'

const { MeshPeer, NotIdeal, Prober, Regular } = PeerPresentFlag

/** A mesh peer that watches; the flood has come. */
async function watch(target: Target): Promise<RawClient> {
  const watcher = await target.mesh()
  watcher.send({ type: 'watchConns' })
  await nextNews(watcher, watcher.publicKey)
  await caughtUp(watcher)
  return watcher
}

const presentTypes = async (watcher: RawClient, peer: RawClient): Promise<string[]> =>
  newsOf(await caughtUp(watcher), peer.publicKey).map(({ type }) => type)

/** How a login shows in PeerPresent. */
const flagged = (
  id: string,
  flags: number,
  who: { readonly mesh?: boolean; readonly isProber?: boolean; readonly idealNode?: string },
): ConformanceCase => ({
  id: `mesh/flags/${id}`,
  clauses: ['P-071', ...(who.idealNode === undefined ? [] : ['P-123'])],
  needs: ['mesh', ...(who.idealNode === undefined ? [] : (['raw'] satisfies Need[]))],
  async run(target) {
    const watcher = await watch(target)
    const peer = await target.login({
      info: { isProber: who.isProber ?? false, ...(who.mesh && { meshKey: target.meshKey }) },
      ...(who.idealNode !== undefined && { headers: { 'Ideal-Node': who.idealNode } }),
    })
    const told = await nextNews(watcher, peer.publicKey)
    equal(told.type === 'peerPresent' && told.flags, flags, 'told at the login')
    watcher.send({ type: 'watchConns' })
    const again = await nextNews(watcher, peer.publicKey)
    equal(again.type === 'peerPresent' && again.flags, flags, 'told in the flood')
  },
})

const flags: ConformanceCase[] = [
  flagged('regular', Regular, {}),
  flagged('mesh-peer', MeshPeer, { mesh: true }),
  flagged('prober', Prober, { isProber: true }),
  flagged('mesh-peer-and-prober', MeshPeer | Prober, { mesh: true, isProber: true }),
  flagged('not-ideal', NotIdeal, { idealNode: 'derp1a' }),
  flagged('not-ideal-prober', NotIdeal | Prober, { idealNode: 'derp1a', isProber: true }),
  flagged('all-three', NotIdeal | Prober | MeshPeer, { idealNode: 'derp1a', isProber: true, mesh: true }),
  flagged('empty-ideal-node-is-regular', Regular, { idealNode: '' }),
]

/** Frames that need the mesh key, and those that have a wrong length with it; both close the connection. */
const privileged = {
  'watch-conns': () => encodeFrame(FrameType.WatchConns),
  'forward-packet': () => encodeFrame(FrameType.ForwardPacket, new Uint8Array(100)),
  'close-peer': () => encodeFrame(FrameType.ClosePeer, new Uint8Array(32).fill(1)),
}
const wrongLengths = {
  'watch-conns-1': () => encodeFrame(FrameType.WatchConns, new Uint8Array(1)),
  'watch-conns-33': () => encodeFrame(FrameType.WatchConns, new Uint8Array(33)),
  'forward-packet-0': () => encodeFrame(FrameType.ForwardPacket),
  'forward-packet-63': () => encodeFrame(FrameType.ForwardPacket, new Uint8Array(63)),
  'close-peer-0': () => encodeFrame(FrameType.ClosePeer),
  'close-peer-31': () => encodeFrame(FrameType.ClosePeer, new Uint8Array(31)),
  'close-peer-64': () => encodeFrame(FrameType.ClosePeer, new Uint8Array(64)),
}

const refusedWithoutKey: ConformanceCase[] = Object.entries(privileged).map(([name, frame]) => ({
  id: `mesh/refused-without-key/${name}`,
  clauses: ['P-074'],
  async run(target) {
    const client = await target.login()
    client.sendBytes(frame())
    await expectClosed(client)
  },
}))

const wrongLengthWithKey: ConformanceCase[] = Object.entries(wrongLengths).map(([name, frame]) => ({
  id: `mesh/wrong-length-with-key/${name}`,
  clauses: ['P-003', 'P-074'],
  needs: ['mesh'],
  async run(target) {
    const sibling = await target.mesh()
    sibling.sendBytes(frame())
    await expectClosed(sibling)
  },
}))

const watching: ConformanceCase[] = [
  {
    id: 'mesh/watch/flood-has-everybody-once',
    clauses: ['P-070', 'P-071'],
    needs: ['mesh'],
    async run(target) {
      const peers = [await target.login(), await target.login(), await target.mesh()]
      const watcher = await target.mesh()
      watcher.send({ type: 'watchConns' })
      const flood = await caughtUp(watcher)
      for (const peer of [...peers, watcher]) {
        deepEqual(
          newsOf(flood, peer.publicKey).map(({ type }) => type),
          ['peerPresent'],
        )
      }
    },
  },
  {
    id: 'mesh/watch/flood-of-many',
    clauses: ['P-070'],
    needs: ['mesh'],
    async run(target) {
      const peers = await Promise.all(Array.from({ length: 60 }, () => target.login()))
      const watcher = await target.mesh()
      watcher.send({ type: 'watchConns' })
      const flood = await caughtUp(watcher)
      for (const peer of peers) equal(newsOf(flood, peer.publicKey).length, 1)
    },
  },
  {
    id: 'mesh/watch/flood-comes-at-once',
    clauses: ['P-070'],
    needs: ['mesh'],
    alone: true,
    async run(target) {
      let best = Number.POSITIVE_INFINITY
      for (let attempt = 0; attempt < 5; attempt++) {
        const watcher = await target.mesh()
        const since = performance.now()
        watcher.send({ type: 'watchConns' })
        await nextNews(watcher, watcher.publicKey)
        best = Math.min(best, performance.now() - since)
      }
      // The stock monitor waits no longer than this.
      ok(best < 100, `the flood took ${best} ms`)
    },
  },
  {
    id: 'mesh/watch/again-floods-again',
    clauses: ['P-070'],
    needs: ['mesh'],
    async run(target) {
      const peer = await target.login()
      const watcher = await watch(target)
      for (let times = 0; times < 3; times++) {
        watcher.send({ type: 'watchConns' })
        deepEqual(await presentTypes(watcher, peer), ['peerPresent'])
      }
    },
  },
  {
    id: 'mesh/watch/again-does-not-double-the-stream',
    clauses: ['P-070', 'P-077'],
    needs: ['mesh'],
    async run(target) {
      const watcher = await watch(target)
      watcher.send({ type: 'watchConns' })
      watcher.send({ type: 'watchConns' })
      await caughtUp(watcher)
      const peer = await target.login()
      deepEqual(await presentTypes(watcher, peer), ['peerPresent'])
      await depart(peer)
      await nextNews(watcher, peer.publicKey)
      deepEqual(await presentTypes(watcher, peer), [])
    },
  },
  {
    id: 'mesh/watch/stream-of-arrival-and-departure',
    clauses: ['P-070', 'P-077'],
    needs: ['mesh'],
    async run(target) {
      const watcher = await watch(target)
      const peer = await target.login()
      equal((await nextNews(watcher, peer.publicKey)).type, 'peerPresent')
      await depart(peer)
      deepEqual(await nextNews(watcher, peer.publicKey), { type: 'peerGone', peer: peer.publicKey, reason: 0 })
    },
  },
  {
    id: 'mesh/watch/stream-keeps-the-order-of-one-key',
    clauses: ['P-077'],
    needs: ['mesh'],
    async run(target) {
      const watcher = await watch(target)
      const privateKey = NodePrivateKey.generate()
      for (let round = 0; round < 5; round++) {
        const peer = await target.login({ privateKey })
        equal((await nextNews(watcher, peer.publicKey)).type, 'peerPresent')
        await depart(peer)
        equal((await nextNews(watcher, peer.publicKey)).type, 'peerGone')
      }
    },
  },
  {
    id: 'mesh/watch/several-watchers',
    clauses: ['P-077'],
    needs: ['mesh'],
    async run(target) {
      const watchers = [await watch(target), await watch(target), await watch(target)]
      const peer = await target.login()
      for (const watcher of watchers) equal((await nextNews(watcher, peer.publicKey)).type, 'peerPresent')
      await depart(peer)
      for (const watcher of watchers) equal((await nextNews(watcher, peer.publicKey)).type, 'peerGone')
    },
  },
  {
    id: 'mesh/watch/present-for-each-connection-gone-for-the-last',
    clauses: ['P-077'],
    needs: ['mesh'],
    async run(target) {
      const watcher = await watch(target)
      const privateKey = NodePrivateKey.generate()
      const peers = [await target.login({ privateKey }), await target.login({ privateKey })]
      const [first, second] = peers as [RawClient, RawClient]
      deepEqual(await presentTypes(watcher, first), ['peerPresent', 'peerPresent'])
      await depart(second)
      await delay(50)
      deepEqual(await presentTypes(watcher, first), [])
      await depart(first)
      equal((await nextNews(watcher, first.publicKey)).type, 'peerGone')
      deepEqual(await presentTypes(watcher, first), [])
    },
  },
  {
    id: 'mesh/watch/flood-has-a-key-with-several-connections-once',
    clauses: ['P-070'],
    needs: ['mesh'],
    async run(target) {
      const privateKey = NodePrivateKey.generate()
      await target.login({ privateKey })
      await target.login({ privateKey })
      const active = await target.login({ privateKey })
      const watcher = await target.mesh()
      watcher.send({ type: 'watchConns' })
      const news = newsOf(await caughtUp(watcher), active.publicKey)
      equal(news.length, 1)
      if (active.conn.local === undefined || news[0]?.type !== 'peerPresent') return
      equal(news[0].address?.port, active.conn.local.port, 'port of the active connection')
    },
  },
  {
    id: 'mesh/watch/address-and-port',
    clauses: ['P-071'],
    needs: ['mesh', 'raw'],
    async run(target) {
      const watcher = await watch(target)
      const peer = await target.login()
      const told = await nextNews(watcher, peer.publicKey)
      equal(told.type, 'peerPresent')
      if (told.type === 'peerPresent') deepEqual(told.address, peer.conn.local)
    },
  },
  {
    id: 'mesh/watch/present-has-51-bytes',
    clauses: ['P-071'],
    needs: ['mesh'],
    async run(target) {
      const peer = await target.login()
      const watcher = await target.mesh()
      watcher.send({ type: 'watchConns' })
      for (;;) {
        const { type, body } = await watcher.frame()
        equal(type, FrameType.PeerPresent)
        equal(body.length, 51)
        if (Buffer.compare(body.subarray(0, 32), peer.publicKey.bytes) !== 0) continue
        equal(body[50], Regular)
        return
      }
    },
  },
  {
    id: 'mesh/watch/ipv4-is-mapped',
    clauses: ['P-071'],
    needs: ['mesh', 'raw'],
    async run(target) {
      const watcher = await target.mesh()
      const local = watcher.conn.local
      if (local === undefined || !/^\d+\.\d+\.\d+\.\d+$/.test(local.address)) return
      watcher.send({ type: 'watchConns' })
      for (;;) {
        const { body } = await watcher.frame()
        if (Buffer.compare(body.subarray(0, 32), watcher.publicKey.bytes) !== 0) continue
        const address = [...new Uint8Array(10), 255, 255, ...local.address.split('.').map(Number)]
        deepEqual([...body.subarray(32, 48)], address)
        deepEqual([...body.subarray(48, 50)], [local.port >> 8, local.port & 255])
        return
      }
    },
  },
  {
    id: 'mesh/watch/failed-login-is-not-told',
    clauses: ['P-036', 'P-077'],
    needs: ['mesh'],
    async run(target) {
      const watcher = await watch(target)
      const privateKey = NodePrivateKey.generate()
      const client = await target.connect()
      await client.greeting()
      client.sendBytes(await client.hello({ privateKey, json: '{"version":"2"}' }))
      await expectClosed(client)
      deepEqual(await presentTypes(watcher, client), [])
    },
  },
  {
    id: 'mesh/watch/not-asked-for-not-told',
    clauses: ['P-070'],
    needs: ['mesh'],
    async run(target) {
      const sibling = await target.mesh()
      const peer = await target.login()
      await depart(peer)
      await delay(50)
      await expectNothingBut(sibling)
    },
  },
  {
    id: 'mesh/watch/is-of-a-connection-not-of-a-key',
    clauses: ['P-070'],
    needs: ['mesh'],
    async run(target) {
      const privateKey = NodePrivateKey.generate()
      const former = await target.mesh({ privateKey })
      former.send({ type: 'watchConns' })
      await nextNews(former, former.publicKey)
      await depart(former)
      const now = await target.mesh({ privateKey })
      const peer = await target.login()
      deepEqual(await presentTypes(now, peer), [])
    },
  },
  {
    id: 'mesh/watch/departed-watcher-leaves-others-be',
    clauses: ['P-070', 'P-077'],
    needs: ['mesh'],
    async run(target) {
      const [leaving, staying] = [await watch(target), await watch(target)]
      await depart(leaving)
      equal((await nextNews(staying, leaving.publicKey)).type, 'peerGone')
      const peer = await target.login()
      equal((await nextNews(staying, peer.publicKey)).type, 'peerPresent')
    },
  },
  {
    id: 'mesh/watch/watcher-sends-and-receives',
    clauses: ['P-050', 'P-070'],
    needs: ['mesh'],
    async run(target) {
      const sibling = await target.mesh()
      const peer = await target.login()
      await expectRelays(sibling, peer)
      await expectRelays(peer, sibling)
      sibling.send({ type: 'watchConns' })
      await caughtUp(sibling)
      await expectRelays(sibling, peer)
      peer.packet(sibling.publicKey, payload(40, 1))
      deepEqual((await sibling.messageOf('receivedPacket')).data, payload(40, 1))
    },
  },
]

const closing: ConformanceCase[] = [
  {
    id: 'mesh/close-peer/closes-all-connections-of-the-key',
    clauses: ['P-073'],
    needs: ['mesh'],
    async run(target) {
      const sibling = await target.mesh()
      const privateKey = NodePrivateKey.generate()
      const closed = [
        await target.login({ privateKey }),
        await target.login({ privateKey }),
        await target.login({ privateKey }),
      ]
      const other = await target.login()
      sibling.send({ type: 'closePeer', peer: privateKey.publicKey() })
      for (const peer of closed) {
        await expectClosed(peer)
        equal(peer.waitingFrames.length, 0, 'nothing is said to it')
      }
      await expectRelays(sibling, other)
      await expectNothingBut(sibling)
    },
  },
  {
    id: 'mesh/close-peer/of-nobody-changes-nothing',
    clauses: ['P-073'],
    needs: ['mesh'],
    async run(target) {
      const [sibling, other] = [await target.mesh(), await target.login()]
      sibling.send({ type: 'closePeer', peer: NodePrivateKey.generate().publicKey() })
      await expectRelays(sibling, other)
      await expectNothingBut(sibling)
    },
  },
  {
    id: 'mesh/close-peer/oneself',
    clauses: ['P-073'],
    needs: ['mesh'],
    async run(target) {
      const sibling = await target.mesh()
      sibling.send({ type: 'closePeer', peer: sibling.publicKey })
      await expectClosed(sibling)
    },
  },
  {
    id: 'mesh/close-peer/may-log-in-again',
    clauses: ['P-073'],
    needs: ['mesh'],
    async run(target) {
      const sibling = await target.mesh()
      const privateKey = NodePrivateKey.generate()
      for (let round = 0; round < 3; round++) {
        const peer = await target.login({ privateKey })
        await expectRelays(sibling, peer)
        sibling.send({ type: 'closePeer', peer: peer.publicKey })
        await expectClosed(peer)
      }
    },
  },
  {
    id: 'mesh/close-peer/is-a-departure-like-any-other',
    clauses: ['P-062', 'P-073', 'P-077'],
    needs: ['mesh'],
    async run(target) {
      const [sibling, watcher] = [await target.mesh(), await watch(target)]
      const [peer, receiver] = [await target.login(), await target.login()]
      await expectRelays(peer, receiver)
      sibling.send({ type: 'closePeer', peer: peer.publicKey })
      equal((await nextNews(watcher, peer.publicKey)).type, 'peerPresent')
      equal((await nextNews(watcher, peer.publicKey)).type, 'peerGone')
      deepEqual(await nextNews(receiver, peer.publicKey), { type: 'peerGone', peer: peer.publicKey, reason: 0 })
    },
  },
]

export const meshCases: readonly ConformanceCase[] = [
  ...watching,
  ...flags,
  ...refusedWithoutKey,
  ...wrongLengthWithKey,
  ...closing,
]
