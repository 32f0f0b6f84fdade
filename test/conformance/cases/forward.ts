/** Packets forwarded by a mesh peer. */

import { NodePrivateKey, NodePublicKey } from '../../../src/keys/node-key.ts'
import { encodeClientToServer, encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { payload } from '../../support/payload.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import {
  deepEqual,
  discoPacket,
  equal,
  expectClosed,
  expectNothingBut,
  expectPacket,
  expectRelays,
  ok,
  strangerKey,
  withinMs,
} from '../check.ts'
import { caughtUp, depart, newsOf, nextNews } from '../presence.ts'

const forward = (meshPeer: RawClient, source: NodePublicKey, to: NodePublicKey, data: Uint8Array): void =>
  meshPeer.send({ type: 'forwardPacket', source, destination: to, data })

/** All zero: version 1 of the protocol had no source. */
const NO_SOURCE = NodePublicKey.fromBytes(new Uint8Array(32))

const sizes: ConformanceCase[] = [0, 1, 31, 32, 61, 62, 1280, 16_384, 65_535, 65_536].map(size => ({
  id: `mesh/forward/size-${size}`,
  clauses: ['P-052', 'P-072'],
  needs: ['mesh'],
  async run(target) {
    const [meshPeer, receiver] = [await target.mesh(), await target.login()]
    const source = strangerKey()
    forward(meshPeer, source, receiver.publicKey, payload(size, size))
    await expectPacket(receiver, source, payload(size, size))
    await expectNothingBut(receiver)
  },
}))

const splits: ConformanceCase[] = [1, 36, 69, 1000].map(step => ({
  id: `mesh/forward/split-every-${step}`,
  clauses: ['P-001', 'P-072'],
  needs: ['mesh'],
  async run(target) {
    const [meshPeer, receiver] = [await target.mesh(), await target.login()]
    const source = strangerKey()
    const frames = Array.from({ length: 8 }, (_, n) =>
      encodeClientToServer({
        type: 'forwardPacket',
        source,
        destination: receiver.publicKey,
        data: payload(n * 30, n),
      }),
    )
    const stream = Buffer.concat(frames)
    for (let at = 0; at < stream.length; at += step) meshPeer.sendBytes(stream.subarray(at, at + step))
    for (let n = 0; n < frames.length; n++) await expectPacket(receiver, source, payload(n * 30, n))
  },
}))

const noSource: ConformanceCase[] = [0, 31, 32, 100].map(size => ({
  id: `mesh/forward/without-source-of-${size}`,
  clauses: ['P-051', 'P-072'],
  needs: ['mesh'],
  async run(target) {
    const [meshPeer, receiver] = [await target.mesh(), await target.login()]
    forward(meshPeer, NO_SOURCE, receiver.publicKey, payload(size, 9))
    const frame = await receiver.frame()
    equal(frame.type, FrameType.RecvPacket)
    ok(Buffer.compare(frame.body, payload(size, 9)) === 0, `${frame.body.length} bytes came, not the payload alone`)
    await expectRelays(meshPeer, receiver)
  },
}))

const delivery: ConformanceCase[] = [
  {
    id: 'mesh/forward/order-is-kept',
    clauses: ['P-005', 'P-072'],
    needs: ['mesh'],
    async run(target) {
      const [meshPeer, receiver] = [await target.mesh(), await target.login()]
      const source = strangerKey()
      for (let n = 0; n < 30; n++) forward(meshPeer, source, receiver.publicKey, Uint8Array.of(n))
      for (let n = 0; n < 30; n++) await expectPacket(receiver, source, Uint8Array.of(n))
    },
  },
  {
    id: 'mesh/forward/sources-may-alternate',
    clauses: ['P-072'],
    needs: ['mesh'],
    async run(target) {
      const [meshPeer, receiver] = [await target.mesh(), await target.login()]
      const sources = [strangerKey(), strangerKey(), meshPeer.publicKey, receiver.publicKey]
      for (let n = 0; n < 20; n++) forward(meshPeer, sources[n % 4] as NodePublicKey, receiver.publicKey, payload(n, n))
      for (let n = 0; n < 20; n++) await expectPacket(receiver, sources[n % 4] as NodePublicKey, payload(n, n))
    },
  },
  {
    id: 'mesh/forward/to-oneself',
    clauses: ['P-072'],
    needs: ['mesh'],
    async run(target) {
      const meshPeer = await target.mesh()
      const source = strangerKey()
      forward(meshPeer, source, meshPeer.publicKey, payload(70, 1))
      await expectPacket(meshPeer, source, payload(70, 1))
    },
  },
  {
    id: 'mesh/forward/to-several-in-one-write',
    clauses: ['P-072'],
    needs: ['mesh'],
    async run(target) {
      const meshPeer = await target.mesh()
      const receivers = [await target.login(), await target.login(), await target.login()]
      const source = strangerKey()
      const frames = receivers.flatMap((receiver, n) => [
        encodeClientToServer({
          type: 'forwardPacket',
          source,
          destination: receiver.publicKey,
          data: payload(n * 40, n),
        }),
        encodeClientToServer({ type: 'sendPacket', destination: receiver.publicKey, data: payload(n * 50, n) }),
      ])
      meshPeer.sendBytes(Buffer.concat(frames))
      for (const [n, receiver] of receivers.entries()) {
        await expectPacket(receiver, source, payload(n * 40, n))
        await expectPacket(receiver, meshPeer, payload(n * 50, n))
      }
    },
  },
  {
    id: 'mesh/forward/to-the-active-connection-only',
    clauses: ['P-065', 'P-072'],
    needs: ['mesh'],
    async run(target) {
      const meshPeer = await target.mesh()
      const privateKey = NodePrivateKey.generate()
      const [first, second] = [await target.login({ privateKey }), await target.login({ privateKey })]
      const source = strangerKey()
      forward(meshPeer, source, privateKey.publicKey(), payload(40, 2))
      await expectPacket(second, source, payload(40, 2))
      await expectNothingBut(first)
    },
  },
  {
    id: 'mesh/forward/too-long-closes',
    clauses: ['P-003', 'P-052', 'P-072'],
    needs: ['mesh'],
    async run(target) {
      const [meshPeer, receiver] = [await target.mesh(), await target.login()]
      const keys = [strangerKey().bytes, receiver.publicKey.bytes]
      meshPeer.sendBytes(encodeFrame(FrameType.ForwardPacket, ...keys, new Uint8Array(65_537)))
      await expectClosed(meshPeer)
      await expectNothingBut(receiver)
    },
  },
]

const unknownDestination: ConformanceCase[] = [
  {
    id: 'mesh/forward/for-nobody-is-dropped-silently',
    clauses: ['P-061', 'P-072'],
    needs: ['mesh'],
    async run(target) {
      const meshPeer = await target.mesh()
      forward(meshPeer, strangerKey(), strangerKey(), payload(100, 1))
      forward(meshPeer, strangerKey(), strangerKey(), discoPacket(61))
      deepEqual(await caughtUp(meshPeer), [])
    },
  },
  {
    id: 'mesh/forward/for-nobody-disco-is-answered',
    clauses: ['P-061', 'P-072'],
    needs: ['mesh'],
    async run(target) {
      const [meshPeer, source] = [await target.mesh(), await target.login()]
      const nobody = strangerKey()
      forward(meshPeer, source.publicKey, nobody, discoPacket())
      deepEqual(await nextNews(meshPeer, nobody), { type: 'peerGone', peer: nobody, reason: 1 })
      // The reply goes to the mesh peer, not to the source.
      await expectNothingBut(source)
    },
  },
  {
    id: 'mesh/forward/for-nobody-three-answers-at-once',
    clauses: ['P-061', 'P-072'],
    needs: ['mesh'],
    async run(target) {
      // One more per second.
      await withinMs(1_000, async timed => {
        const meshPeer = await target.mesh()
        await timed(async () => {
          for (let n = 0; n < 8; n++) forward(meshPeer, strangerKey(), strangerKey(), discoPacket())
          for (let n = 0; n < 3; n++) await meshPeer.messageOf('peerGone')
          equal((await caughtUp(meshPeer)).filter(({ type }) => type === 'peerGone').length, 0)
        })
      })
    },
  },
]

const peerGone: ConformanceCase[] = [
  {
    id: 'mesh/forward/source-that-leaves-is-told',
    clauses: ['P-062', 'P-072'],
    needs: ['mesh'],
    async run(target) {
      const [meshPeer, receiver] = [await target.mesh(), await target.login()]
      const privateKey = NodePrivateKey.generate()
      const source = privateKey.publicKey()
      forward(meshPeer, source, receiver.publicKey, payload(40, 1))
      await expectPacket(receiver, source, payload(40, 1))
      await depart(await target.login({ privateKey }))
      deepEqual(await nextNews(receiver, source), { type: 'peerGone', peer: source, reason: 0 })
    },
  },
  {
    id: 'mesh/forward/source-that-also-sent-is-told-once',
    clauses: ['P-062', 'P-072'],
    needs: ['mesh'],
    async run(target) {
      const [meshPeer, receiver] = [await target.mesh(), await target.login()]
      const source = await target.login()
      await expectRelays(source, receiver)
      forward(meshPeer, source.publicKey, receiver.publicKey, payload(40, 1))
      await expectPacket(receiver, source, payload(40, 1))
      await expectRelays(source, receiver)
      await depart(source)
      await nextNews(receiver, source.publicKey)
      deepEqual(newsOf(await caughtUp(receiver), source.publicKey), [])
    },
  },
  {
    id: 'mesh/forward/sibling-that-leaves-is-not-told-of',
    clauses: ['P-062', 'P-072'],
    needs: ['mesh'],
    async run(target) {
      const [meshPeer, receiver, witness] = [await target.mesh(), await target.login(), await target.login()]
      await expectRelays(meshPeer, witness)
      const source = strangerKey()
      forward(meshPeer, source, receiver.publicKey, payload(40, 1))
      await expectPacket(receiver, source, payload(40, 1))
      await depart(meshPeer)
      await nextNews(witness, meshPeer.publicKey)
      deepEqual(await caughtUp(receiver), [])
    },
  },
]

/** Mesh peers get more time: they may receive a flood over a slow line. */
const slowReader: ConformanceCase = {
  id: 'mesh/slow-reader-is-not-closed-after-two-seconds',
  clauses: ['P-101'],
  needs: ['mesh'],
  alone: true,
  async run(target) {
    const [sender, meshPeer] = [await target.login(), await target.mesh()]
    meshPeer.conn.pause()
    const flood = setInterval(() => {
      for (let n = 0; n < 20; n++) sender.packet(meshPeer.publicKey, payload(60_000, n))
    }, 50)
    await new Promise(resolve => setTimeout(resolve, 4_000))
    clearInterval(flood)
    await sender.sync()
    meshPeer.conn.resume()
    await meshPeer.sync()
    ok(!meshPeer.isClosed, 'still connected')
  },
}

export const forwardCases: readonly ConformanceCase[] = [
  ...sizes,
  ...splits,
  ...noSource,
  ...delivery,
  ...unknownDestination,
  ...peerGone,
  slowReader,
]
