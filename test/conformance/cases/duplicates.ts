/** Several connections of one key. */

import { setTimeout as delay } from 'node:timers/promises'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { encodeClientToServer, encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { PATIENCE_MS } from '../../support/patience.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import { deepEqual, discoPacket, equal, expectPacket, ok, strangerKey, withoutKeepAlive } from '../check.ts'
import { caughtUp, depart, newsOf, nextNews } from '../presence.ts'
import type { Target } from '../target.ts'

/** A sender, and connections that share one key, the newest last. */
interface Scene {
  readonly sender: RawClient
  readonly shared: readonly RawClient[]
}

async function scene(target: Target, connections: number): Promise<Scene> {
  const privateKey = NodePrivateKey.generate()
  const sender = await target.login()
  const shared: RawClient[] = []
  while (shared.length < connections) shared.push(await target.login({ privateKey }))
  return { sender, shared }
}

const at = ({ shared }: Scene, index: number): RawClient => shared[index] as RawClient

/** Sends one packet to the shared key; returns the receiver, within `patienceMs`. Receivers do not write, which would change it. */
async function receiverOf({ sender, shared }: Scene, patienceMs: number): Promise<number> {
  const data = crypto.getRandomValues(new Uint8Array(20))
  const got = ({ waitingFrames }: RawClient) =>
    waitingFrames.some(
      ({ type, body }) => type === FrameType.RecvPacket && Buffer.compare(body.subarray(32), data) === 0,
    )
  sender.packet(at({ sender, shared }, 0).publicKey, data)
  const until = performance.now() + patienceMs
  while (performance.now() < until) {
    const index = shared.findIndex(got)
    if (index !== -1) return index
    await delay(2)
  }
  return -1
}

/** The key's packets go to this connection immediately. */
async function expectActive(one: Scene, index: number): Promise<void> {
  equal(await receiverOf(one, PATIENCE_MS), index, 'index of the active connection')
}

/** The key's packets soon go to this connection, and then always. */
async function expectBecomesActive(one: Scene, index: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  while (performance.now() < until) {
    if ((await receiverOf(one, 100)) === index) break
  }
  await expectActive(one, index)
}

const logins: ConformanceCase[] = [2, 3, 6].map(connections => ({
  id: `duplicates/newest-of-${connections}-is-active`,
  clauses: ['P-065'],
  async run(target) {
    await expectActive(await scene(target, connections), connections - 1)
  },
}))

/** Frames without a reply. */
const writes = {
  ping: (client: RawClient) => client.send({ type: 'ping', payload: new Uint8Array(8) }),
  packet: (client: RawClient) => client.packet(strangerKey(), new Uint8Array(5)),
  'note-preferred': (client: RawClient) => client.send({ type: 'notePreferred', preferred: true }),
  'unknown-frame': (client: RawClient) => client.sendBytes(encodeFrame(0x7e as FrameType, new Uint8Array(3))),
  'unknown-frame-without-body': (client: RawClient) => client.sendBytes(encodeFrame(0x7e as FrameType)),
  pong: (client: RawClient) => client.send({ type: 'pong', payload: new Uint8Array(8) }),
  'header-of-an-unknown-frame': (client: RawClient) => client.sendBytes(Uint8Array.of(0x7e, 0, 1, 0, 0)),
  'header-of-a-packet': (client: RawClient) => client.sendBytes(Uint8Array.of(FrameType.SendPacket, 0, 1, 0, 0)),
  'packet-but-for-its-last-byte': (client: RawClient) => {
    const frame = encodeClientToServer({ type: 'sendPacket', destination: strangerKey(), data: new Uint8Array(50) })
    client.sendBytes(frame.subarray(0, -1))
  },
}

const takeOvers: ConformanceCase[] = Object.entries(writes).map(([name, write]) => ({
  id: `duplicates/takes-over-by/${name}`,
  clauses: ['P-065'],
  async run(target) {
    const one = await scene(target, 3)
    await expectActive(one, 2)
    write(at(one, 1))
    await expectBecomesActive(one, 1)
  },
}))

const activity: ConformanceCase[] = [
  {
    id: 'duplicates/part-of-a-header-is-no-activity',
    clauses: ['P-065'],
    async run(target) {
      const one = await scene(target, 2)
      at(one, 0).sendBytes(Uint8Array.of(FrameType.Ping, 0, 0, 0))
      await delay(50)
      await expectActive(one, 1)
      at(one, 0).sendBytes(Uint8Array.of(8))
      await expectBecomesActive(one, 0)
    },
  },
  {
    id: 'duplicates/take-turns',
    clauses: ['P-065'],
    async run(target) {
      const one = await scene(target, 3)
      for (const index of [0, 1, 0, 2, 1, 2, 0]) {
        at(one, index).packet(strangerKey(), new Uint8Array(1))
        await expectBecomesActive(one, index)
      }
    },
  },
  {
    id: 'duplicates/receiving-is-no-activity',
    clauses: ['P-065'],
    async run(target) {
      const one = await scene(target, 2)
      for (let n = 0; n < 5; n++) await expectActive(one, 1)
    },
  },
  {
    id: 'duplicates/inactive-ones-may-send',
    clauses: ['P-065'],
    async run(target) {
      const one = await scene(target, 3)
      for (const [n, client] of one.shared.entries()) {
        client.packet(one.sender.publicKey, Uint8Array.of(n))
        await expectPacket(one.sender, client, Uint8Array.of(n))
      }
    },
  },
  {
    id: 'duplicates/packet-to-the-own-key-comes-back-to-its-sender',
    clauses: ['P-050', 'P-065'],
    async run(target) {
      const one = await scene(target, 2)
      const inactive = at(one, 0)
      inactive.packet(inactive.publicKey, Uint8Array.of(1, 2))
      await expectPacket(inactive, inactive, Uint8Array.of(1, 2))
    },
  },
  {
    id: 'duplicates/pong-goes-to-whoever-pinged',
    clauses: ['P-065', 'P-091'],
    async run(target) {
      const one = await scene(target, 2)
      const pings = [Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1), Uint8Array.of(2, 2, 2, 2, 2, 2, 2, 2)]
      for (const [n, client] of one.shared.entries()) client.send({ type: 'ping', payload: pings[n] as Uint8Array })
      for (const [n, client] of one.shared.entries())
        deepEqual(await client.messageOf('pong'), { type: 'pong', payload: pings[n] })
    },
  },
  {
    id: 'duplicates/not-here-goes-to-whoever-asked',
    clauses: ['P-061', 'P-065'],
    async run(target) {
      const one = await scene(target, 2)
      const nobody = strangerKey()
      at(one, 0).packet(nobody, discoPacket())
      equal((await nextNews(at(one, 0), nobody)).type, 'peerGone')
      deepEqual(newsOf(await caughtUp(at(one, 1)), nobody), [])
    },
  },
  {
    id: 'duplicates/nobody-is-told',
    clauses: ['P-065', 'P-092'],
    async run(target) {
      const one = await scene(target, 3)
      for (const client of [...one.shared, ...one.shared]) deepEqual(withoutKeepAlive(await client.sync()), [])
      await depart(at(one, 1))
      await delay(50)
      for (const client of [at(one, 0), at(one, 2)]) deepEqual(withoutKeepAlive(await client.sync()), [])
    },
  },
]

const departures: ConformanceCase[] = [
  {
    id: 'duplicates/promotion/last-one-left',
    clauses: ['P-066'],
    async run(target) {
      const one = await scene(target, 2)
      await depart(at(one, 1))
      await expectBecomesActive(one, 0)
    },
  },
  {
    id: 'duplicates/promotion/first-of-three-silent-ones',
    clauses: ['P-066'],
    async run(target) {
      const one = await scene(target, 3)
      await depart(at(one, 2))
      await expectBecomesActive(one, 0)
      await depart(at(one, 0))
      await expectBecomesActive(one, 1)
    },
  },
  {
    id: 'duplicates/promotion/third-of-four-silent-ones',
    clauses: ['P-066'],
    async run(target) {
      const one = await scene(target, 4)
      await depart(at(one, 3))
      await expectBecomesActive(one, 2)
      await depart(at(one, 2))
      await expectBecomesActive(one, 0)
    },
  },
  {
    id: 'duplicates/promotion/who-wrote-last-before',
    clauses: ['P-065', 'P-066'],
    async run(target) {
      const one = await scene(target, 4)
      for (const index of [2, 0, 1, 3]) {
        at(one, index).packet(strangerKey(), new Uint8Array(1))
        await expectBecomesActive(one, index)
      }
      for (const [leaving, next] of [
        [3, 1],
        [1, 0],
        [0, 2],
      ] as const) {
        await depart(at(one, leaving))
        await expectBecomesActive(one, next)
      }
    },
  },
  {
    id: 'duplicates/promotion/not-when-another-leaves',
    clauses: ['P-066'],
    async run(target) {
      const one = await scene(target, 4)
      at(one, 1).packet(strangerKey(), new Uint8Array(1))
      await expectBecomesActive(one, 1)
      for (const leaving of [3, 0]) {
        await depart(at(one, leaving))
        await delay(50)
        await expectActive(one, 1)
      }
    },
  },
  {
    id: 'duplicates/newcomer-after-a-departure-is-active',
    clauses: ['P-065', 'P-066'],
    async run(target) {
      const privateKey = NodePrivateKey.generate()
      const sender = await target.login()
      const shared = [await target.login({ privateKey }), await target.login({ privateKey })]
      await depart(shared[1] as RawClient)
      await expectBecomesActive({ sender, shared }, 0)
      shared.push(await target.login({ privateKey }))
      await expectActive({ sender, shared }, 2)
    },
  },
  {
    id: 'duplicates/gone-only-when-all-have-left',
    clauses: ['P-062', 'P-065'],
    async run(target) {
      const one = await scene(target, 3)
      const { publicKey } = at(one, 0)
      for (const client of one.shared) {
        client.packet(one.sender.publicKey, Uint8Array.of(1))
        await expectPacket(one.sender, publicKey, Uint8Array.of(1))
      }
      for (const leaving of [2, 0]) {
        await depart(at(one, leaving))
        await delay(50)
        deepEqual(await caughtUp(one.sender), [])
      }
      await depart(at(one, 1))
      deepEqual(await nextNews(one.sender, publicKey), { type: 'peerGone', peer: publicKey, reason: 0 })
    },
  },
  {
    id: 'duplicates/all-stay-connected',
    clauses: ['P-065'],
    async run(target) {
      const one = await scene(target, 5)
      for (const client of one.shared) await client.sync()
      ok(
        one.shared.every(({ isClosed }) => !isClosed),
        'nobody is closed',
      )
    },
  },
]

export const duplicateCases: readonly ConformanceCase[] = [...logins, ...takeOvers, ...activity, ...departures]
