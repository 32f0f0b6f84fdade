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
  STANDSTILL_MS,
  strangerKey,
  withinMs,
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

/** Reads Pongs until another ping is answered; it may go unanswered while others are pending. */
async function untilAnswered(client: RawClient, onPong: (payload: Uint8Array) => void): Promise<void> {
  const last = new Uint8Array(8).fill(255)
  const asking = setInterval(() => client.send({ type: 'ping', payload: last }), 200)
  try {
    for (;;) {
      const pong = await client.messageOf('pong')
      if (pong.payload[0] === 255) return
      onPong(pong.payload)
    }
  } finally {
    clearInterval(asking)
  }
}

/** Times of each connection's first KeepAlive, polled until all have one, or `untilMs`. */
async function firstKeepAlives(clients: readonly RawClient[], untilMs: number): Promise<(number | undefined)[]> {
  const seen = clients.map((): number | undefined => undefined)
  while (seen.includes(undefined) && performance.now() < untilMs) {
    for (const [n, { waitingFrames }] of clients.entries()) {
      if (waitingFrames.some(({ type }) => type === FrameType.KeepAlive)) seen[n] ??= performance.now()
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
      const answered: number[] = []
      await untilAnswered(client, pong => answered.push(((pong[6] as number) << 8) | (pong[7] as number)))
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
      const data = payload(60_000, 1)
      await withinMs(STANDSTILL_MS, async timed => {
        const client = await target.login()
        await timed(async () => {
          client.conn.pause()
          for (let n = 0; n < 150; n++) client.packet(client.publicKey, data)
          for (let n = 0; n < 2; n++) client.packet(strangerKey(), discoPacket())
          client.send({ type: 'ping', payload: pingNumber(1) })
          await client.flushed()
          await delay(100)
          client.conn.resume()
        })
        deepEqual(await client.messageOf('pong'), { type: 'pong', payload: pingNumber(1) })
      })
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
      const loginsAtMs = performance.now()
      const sender = await target.login()
      const receiver = await target.login()
      const silent = await Promise.all(Array.from({ length: 6 }, () => target.login({ info: { canAckPings: true } })))
      const lastLoginAtMs = performance.now()
      const traffic = setInterval(() => sender.packet(receiver.publicKey, payload(100, 1)), 500)
      const clients = [...silent, sender, receiver]
      // 65 s, plus tolerance for a busy machine.
      const seen = await firstKeepAlives(clients, lastLoginAtMs + 70_000)
      clearInterval(traffic)
      for (const atMs of seen) {
        ok(atMs !== undefined, 'a keep-alive comes within 65 s')
        const afterMs = (atMs as number) - loginsAtMs
        ok(afterMs > 59_500, `the first keep-alive came after ${afterMs} ms`)
      }
      const times = seen as number[]
      const spreadMs = Math.max(...times) - Math.min(...times)
      ok(spreadMs > 50, `the keep-alives of ${times.length} connections came within ${spreadMs} ms`)
      for (const client of silent) {
        const types = client.waitingFrames.map(({ type }) => type)
        deepEqual(types, [FrameType.KeepAlive], 'nothing else came')
        await client.frame()
      }
      await expectRelays(silent[0] as RawClient, silent[1] as RawClient)
    },
  },
]
