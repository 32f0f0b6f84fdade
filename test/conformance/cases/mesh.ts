/** Presence flags, privileges and ClosePeer. */

import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { PeerPresentFlag } from '../../../src/protocol/messages.ts'
import type { ConformanceCase, Need } from '../case.ts'
import { deepEqual, equal, expectClosed, expectNothingBut, expectRelays } from '../check.ts'
import { nextNews, watch } from '../presence.ts'

const { MeshPeer, NotIdeal, Prober, Regular } = PeerPresentFlag

/** PeerPresent flags of a login. */
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

/** Frames that need the mesh key, and malformed ones with it; both close the connection. */
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
    const meshPeer = await target.mesh()
    meshPeer.sendBytes(frame())
    await expectClosed(meshPeer)
  },
}))

const closing: ConformanceCase[] = [
  {
    id: 'mesh/close-peer/closes-all-connections-of-the-key',
    clauses: ['P-073'],
    needs: ['mesh'],
    async run(target) {
      const meshPeer = await target.mesh()
      const privateKey = NodePrivateKey.generate()
      const closed = [
        await target.login({ privateKey }),
        await target.login({ privateKey }),
        await target.login({ privateKey }),
      ]
      const other = await target.login()
      meshPeer.send({ type: 'closePeer', peer: privateKey.publicKey() })
      for (const peer of closed) {
        await expectClosed(peer)
        equal(peer.waitingFrames.length, 0, 'nothing is said to it')
      }
      await expectRelays(meshPeer, other)
      await expectNothingBut(meshPeer)
    },
  },
  {
    id: 'mesh/close-peer/of-nobody-changes-nothing',
    clauses: ['P-073'],
    needs: ['mesh'],
    async run(target) {
      const [meshPeer, other] = [await target.mesh(), await target.login()]
      meshPeer.send({ type: 'closePeer', peer: NodePrivateKey.generate().publicKey() })
      await expectRelays(meshPeer, other)
      await expectNothingBut(meshPeer)
    },
  },
  {
    id: 'mesh/close-peer/oneself',
    clauses: ['P-073'],
    needs: ['mesh'],
    async run(target) {
      const meshPeer = await target.mesh()
      meshPeer.send({ type: 'closePeer', peer: meshPeer.publicKey })
      await expectClosed(meshPeer)
    },
  },
  {
    id: 'mesh/close-peer/may-log-in-again',
    clauses: ['P-073'],
    needs: ['mesh'],
    async run(target) {
      const meshPeer = await target.mesh()
      const privateKey = NodePrivateKey.generate()
      for (let round = 0; round < 3; round++) {
        const peer = await target.login({ privateKey })
        await expectRelays(meshPeer, peer)
        meshPeer.send({ type: 'closePeer', peer: peer.publicKey })
        await expectClosed(peer)
      }
    },
  },
  {
    id: 'mesh/close-peer/is-a-departure-like-any-other',
    clauses: ['P-062', 'P-073', 'P-077'],
    needs: ['mesh'],
    async run(target) {
      const [meshPeer, watcher] = [await target.mesh(), await watch(target)]
      const [peer, receiver] = [await target.login(), await target.login()]
      await expectRelays(peer, receiver)
      meshPeer.send({ type: 'closePeer', peer: peer.publicKey })
      equal((await nextNews(watcher, peer.publicKey)).type, 'peerPresent')
      equal((await nextNews(watcher, peer.publicKey)).type, 'peerGone')
      deepEqual(await nextNews(receiver, peer.publicKey), { type: 'peerGone', peer: peer.publicKey, reason: 0 })
    },
  },
]

export const meshCases: readonly ConformanceCase[] = [...flags, ...refusedWithoutKey, ...wrongLengthWithKey, ...closing]
