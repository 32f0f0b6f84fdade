/** Pings, keep-alives and silence. */

import { setTimeout as delay } from 'node:timers/promises'
import { encodeClientToServer, encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { payload } from '../../support/payload.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import {
  deepEqual,
  discoPacket,
  equal,
  expectNothingBut,
  expectPacket,
  expectRelays,
  ok,
  strangerKey,
} from '../check.ts'

const sizes: ConformanceCase[] = [8, 9, 100, 999, 1000].map(size => ({
  id: `liveness/ping-of-${size}-is-echoed-to-its-eighth-byte`,
  clauses: ['P-091'],
  async run(target) {
    const client = await target.login()
    client.sendBytes(encodeFrame(FrameType.Ping, payload(size, size)))
    const { type, body } = await client.frame()
    equal(type, FrameType.Pong)
    deepEqual([...body], [...payload(8, size)])
    await expectNothingBut(client)
  },
}))

const contents: ConformanceCase[] = [0x00, 0xff, 0x12].map(byte => ({
  id: `liveness/ping-of-bytes-${byte}`,
  clauses: ['P-091'],
  async run(target) {
    const client = await target.login()
    const bytes = new Uint8Array(8).fill(byte)
    client.send({ type: 'ping', payload: bytes })
    deepEqual(await client.message(), { type: 'pong', payload: bytes })
  },
}))

const pingNumber = (n: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, 0, 0, n >> 8, n & 255)

/** First and last appearance of KeepAlive among what a connection has been sent, by looking now and then. */
async function keepAlivesUntil(clients: readonly RawClient[], untilMs: number): Promise<number[][]> {
  const seen = clients.map((): number[] => [])
  while (performance.now() < untilMs) {
    for (const [n, { waitingFrames }] of clients.entries()) {
      const count = waitingFrames.filter(({ type }) => type === FrameType.KeepAlive).length
      while ((seen[n] as number[]).length < count) seen[n]?.push(performance.now())
    }
    await delay(20)
  }
  return seen
}

export const livenessCases: readonly ConformanceCase[] = [
  ...sizes,
  ...contents,
  {
    id: 'liveness/pings-one-by-one-are-all-answered',
    clauses: ['P-091'],
    async run(target) {
      const client = await target.login()
      for (let n = 0; n < 100; n++) {
        client.send({ type: 'ping', payload: pingNumber(n) })
        deepEqual(await client.message(), { type: 'pong', payload: pingNumber(n) })
      }
    },
  },
  {
    id: 'liveness/pings-at-once-may-be-left-out-but-not-the-first',
    clauses: ['P-091'],
    async run(target) {
      const client = await target.login()
      const pings = Array.from({ length: 500 }, (_, n) =>
        encodeClientToServer({ type: 'ping', payload: pingNumber(n) }),
      )
      client.sendBytes(Buffer.concat(pings))
      await client.flushed()
      await delay(200)
      const last = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255)
      client.send({ type: 'ping', payload: last })
      const answered: number[] = []
      for (;;) {
        const pong = await client.messageOf('pong')
        if (pong.payload[0] === 255) break
        answered.push(((pong.payload[6] as number) << 8) | (pong.payload[7] as number))
      }
      equal(answered[0], 0)
      deepEqual(
        answered.toSorted((a, b) => a - b),
        answered,
        'in order',
      )
      equal(new Set(answered).size, answered.length, 'each at most once')
    },
  },
  {
    id: 'liveness/ping-behind-other-frames-that-wait-is-answered',
    clauses: ['P-091', 'P-100'],
    async run(target) {
      const client = await target.login()
      client.conn.pause()
      for (let n = 0; n < 150; n++) client.packet(client.publicKey, payload(60_000, n))
      for (let n = 0; n < 2; n++) client.packet(strangerKey(), discoPacket())
      client.send({ type: 'ping', payload: pingNumber(1) })
      await client.flushed()
      await delay(100)
      client.conn.resume()
      deepEqual(await client.messageOf('pong'), { type: 'pong', payload: pingNumber(1) })
    },
  },
  {
    id: 'liveness/ping-byte-by-byte',
    clauses: ['P-001', 'P-091'],
    async run(target) {
      const client = await target.login()
      for (const byte of encodeFrame(FrameType.Ping, payload(20, 3))) client.sendBytes(Uint8Array.of(byte))
      deepEqual(await client.message(), { type: 'pong', payload: payload(8, 3) })
    },
  },
  {
    id: 'liveness/ping-among-packets',
    clauses: ['P-050', 'P-091'],
    async run(target) {
      const [a, b] = [await target.login(), await target.login()]
      const packet = (n: number) =>
        encodeClientToServer({ type: 'sendPacket', destination: b.publicKey, data: payload(50, n) })
      const ping = encodeClientToServer({ type: 'ping', payload: pingNumber(7) })
      a.sendBytes(Buffer.concat([packet(1), ping, packet(2)]))
      deepEqual(await a.message(), { type: 'pong', payload: pingNumber(7) })
      await expectPacket(b, a, payload(50, 1))
      await expectPacket(b, a, payload(50, 2))
      await expectNothingBut(b)
    },
  },
  {
    id: 'liveness/no-pings-from-the-relay',
    clauses: ['P-095'],
    async run(target) {
      const clients = [
        await target.login({ info: { canAckPings: true } }),
        await target.login({ info: { canAckPings: false } }),
        await target.login({ info: { canAckPings: true, isProber: true } }),
      ]
      await delay(1_500)
      for (const client of clients) await expectNothingBut(client)
    },
  },
  {
    id: 'liveness/unasked-pong-is-ignored',
    clauses: ['P-002', 'P-091'],
    async run(target) {
      const client = await target.login({ info: { canAckPings: true } })
      client.send({ type: 'pong', payload: payload(8, 1) })
      await expectNothingBut(client)
    },
  },
  {
    id: 'liveness/keep-alive-after-60-to-65-seconds-and-no-idle-timeout',
    clauses: ['P-090', 'P-095', 'P-096'],
    slow: true,
    async run(target) {
      const sender = await target.login()
      const receiver = await target.login()
      const silent = await Promise.all(Array.from({ length: 6 }, () => target.login({ info: { canAckPings: true } })))
      const since = performance.now()
      const traffic = setInterval(() => sender.packet(receiver.publicKey, payload(100, 1)), 500)
      const clients = [...silent, sender, receiver]
      const seen = await keepAlivesUntil(clients, since + 66_000)
      clearInterval(traffic)
      for (const times of seen) {
        equal(times.length, 1, 'keep-alives in 66 s')
        const afterMs = (times[0] as number) - since
        ok(afterMs > 59_500, `the first keep-alive came after ${afterMs} ms`)
      }
      const spreadMs = Math.max(...seen.flat()) - Math.min(...seen.flat())
      ok(spreadMs > 50, `the keep-alives of ${seen.length} connections came within ${spreadMs} ms`)
      for (const client of silent) {
        const types = client.waitingFrames.map(({ type }) => type)
        deepEqual(types, [FrameType.KeepAlive], 'nothing else came')
        await client.frame()
      }
      await expectRelays(silent[0] as RawClient, silent[1] as RawClient)
    },
  },
]
