/** Packets from client to client. */

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
  expectClosed,
  expectNothingBut,
  expectPacket,
  ok,
  STANDSTILL_MS,
  strangerKey,
  withinMs,
} from '../check.ts'

const SIZES = [0, 1, 5, 31, 32, 33, 61, 62, 63, 1000, 1280, 1400, 4096, 16_384, 32_768, 65_535, 65_536]

const sizes: ConformanceCase[] = SIZES.map(size => ({
  id: `packet/size-${size}`,
  clauses: ['P-050', 'P-051', 'P-052'],
  async run(target) {
    const [a, b] = [await target.login(), await target.login()]
    a.packet(b.publicKey, payload(size, size))
    await expectPacket(b, a, payload(size, size))
  },
}))

const splits: ConformanceCase[] = [1, 3, 5, 37, 100, 1448].map(step => ({
  id: `packet/split-every-${step}`,
  clauses: ['P-001', 'P-050'],
  async run(target) {
    const [a, b] = [await target.login(), await target.login()]
    const stream = Buffer.concat(
      Array.from({ length: 10 }, (_, n) =>
        encodeClientToServer({ type: 'sendPacket', destination: b.publicKey, data: payload(n * 20, n) }),
      ),
    )
    for (let at = 0; at < stream.length; at += step) a.sendBytes(stream.subarray(at, at + step))
    for (let n = 0; n < 10; n++) await expectPacket(b, a, payload(n * 20, n))
  },
}))

/** A frame with the wrong length for its type closes the connection. */
const wrongLength = (id: string, type: FrameType, length: number): ConformanceCase => ({
  id: `frame/wrong-length/${id}`,
  clauses: ['P-003'],
  async run(target) {
    const client = await target.login()
    client.sendBytes(encodeFrame(type, new Uint8Array(length)))
    await expectClosed(client)
  },
})

/** A frame that relays ignore is skipped, and later ones are read. */
const skipped = (id: string, type: number, length: number): ConformanceCase => ({
  id: `frame/skipped/${id}`,
  clauses: ['P-002', 'P-006'],
  async run(target) {
    const client = await target.login()
    client.sendBytes(encodeFrame(type as FrameType, new Uint8Array(length).fill(1)))
    await expectNothingBut(client)
  },
})

const firstUnassigned = Math.max(...Object.values(FrameType)) + 1
const unknownTypes = [0x00, 0x0b, 0x0f, firstUnassigned, 0x7f, 0xff]
const serverTypes = {
  'server-key': FrameType.ServerKey,
  'client-info-again': FrameType.ClientInfo,
  'server-info': FrameType.ServerInfo,
  'recv-packet': FrameType.RecvPacket,
  'keep-alive': FrameType.KeepAlive,
  'peer-gone': FrameType.PeerGone,
  'peer-present': FrameType.PeerPresent,
  pong: FrameType.Pong,
  health: FrameType.Health,
  restarting: FrameType.Restarting,
}

export const packetCases: readonly ConformanceCase[] = [
  ...sizes,
  ...splits,
  {
    id: 'packet/to-oneself',
    clauses: ['P-050'],
    async run(target) {
      const a = await target.login()
      a.packet(a.publicKey, payload(50, 1))
      await expectPacket(a, a, payload(50, 1))
    },
  },
  {
    id: 'packet/order-of-one-source',
    clauses: ['P-005'],
    async run(target) {
      const [a, b] = [await target.login(), await target.login()]
      for (let n = 0; n < 30; n++) a.packet(b.publicKey, Uint8Array.of(n))
      for (let n = 0; n < 30; n++) await expectPacket(b, a, Uint8Array.of(n))
    },
  },
  {
    id: 'packet/several-destinations-in-one-write',
    clauses: ['P-001', 'P-050'],
    async run(target) {
      const a = await target.login()
      const others = [await target.login(), await target.login(), await target.login()]
      const stream = others.flatMap((other, n) => [
        encodeClientToServer({ type: 'sendPacket', destination: other.publicKey, data: payload(n + 10, n) }),
        encodeClientToServer({ type: 'sendPacket', destination: other.publicKey, data: payload(n + 20, n) }),
      ])
      a.sendBytes(Buffer.concat(stream))
      for (const [n, other] of others.entries()) {
        await expectPacket(other, a, payload(n + 10, n))
        await expectPacket(other, a, payload(n + 20, n))
      }
    },
  },
  {
    id: 'packet/both-ways-at-once',
    clauses: ['P-050', 'P-051'],
    async run(target) {
      const [a, b] = [await target.login(), await target.login()]
      for (let n = 0; n < 20; n++) {
        a.packet(b.publicKey, payload(100, n))
        b.packet(a.publicKey, payload(200, n))
      }
      for (let n = 0; n < 20; n++) {
        await expectPacket(b, a, payload(100, n))
        await expectPacket(a, b, payload(200, n))
      }
    },
  },
  {
    id: 'packet/too-long-closes',
    clauses: ['P-003', 'P-052'],
    async run(target) {
      const [a, b] = [await target.login(), await target.login()]
      a.sendBytes(encodeFrame(FrameType.SendPacket, b.publicKey.bytes, new Uint8Array(65_537)))
      await expectClosed(a)
      await expectNothingBut(b)
    },
  },
  {
    id: 'packet/for-nobody-is-dropped-silently',
    clauses: ['P-055', 'P-061'],
    async run(target) {
      const a = await target.login()
      a.packet(strangerKey(), payload(100, 1))
      await expectNothingBut(a)
    },
  },
  {
    id: 'packet/for-nobody-disco-is-answered',
    clauses: ['P-053', 'P-060', 'P-061'],
    async run(target) {
      const a = await target.login()
      const nobody = strangerKey()
      a.packet(nobody, discoPacket())
      deepEqual(await a.messageOf('peerGone'), { type: 'peerGone', peer: nobody, reason: 1 })
    },
  },
  {
    id: 'packet/for-nobody-almost-disco-is-not-answered',
    clauses: ['P-053', 'P-061'],
    async run(target) {
      const a = await target.login()
      const almost = discoPacket()
      almost[5] = 0
      a.packet(strangerKey(), almost)
      a.packet(strangerKey(), discoPacket(61))
      await expectNothingBut(a)
    },
  },
  {
    id: 'packet/not-here-three-at-once-then-one-a-second',
    clauses: ['P-061'],
    async run(target) {
      /** Waits for `least` replies, and returns their number. */
      const ask = async (a: RawClient, least: number) => {
        for (let n = 0; n < 8; n++) a.packet(strangerKey(), discoPacket())
        for (let n = 0; n < least; n++) await a.messageOf('peerGone')
        // The original replies from another goroutine: late replies arrive before the second Pong.
        return least + [...(await a.sync()), ...(await a.sync())].filter(({ type }) => type === 'peerGone').length
      }
      await withinMs(1_000, async timed => {
        const a = await target.login()
        const sinceMs = performance.now()
        await timed(async () => equal(await ask(a, 3), 3))
        await delay(1_100)
        const answers = await ask(a, 1)
        const seconds = (performance.now() - sinceMs) / 1_000
        ok(answers <= Math.ceil(seconds), `${answers} answers came after ${seconds} s`)
      })
    },
  },
  {
    id: 'packet/last-of-a-burst-survives',
    clauses: ['P-100'],
    async run(target) {
      await withinMs(STANDSTILL_MS, async timed => {
        const [a, b] = [await target.login(), await target.login()]
        const burst = Array.from({ length: 4_000 }, (_, n) =>
          encodeClientToServer({ type: 'sendPacket', destination: b.publicKey, data: payload(1_200, n) }),
        )
        await timed(async () => {
          b.conn.pause()
          a.sendBytes(Buffer.concat(burst))
          await a.sync()
          b.conn.resume()
        })
        let last: Uint8Array = new Uint8Array(0)
        while (Buffer.compare(last, payload(1_200, 3_999)) !== 0) last = (await b.messageOf('receivedPacket')).data
        await expectNothingBut(b)
      })
    },
  },
  {
    id: 'packet/slow-reader-does-not-stall-others',
    clauses: ['P-100'],
    async run(target) {
      const [a, slow, quick] = [await target.login(), await target.login(), await target.login()]
      slow.conn.pause()
      for (let n = 0; n < 100; n++) {
        a.packet(slow.publicKey, payload(30_000, n))
        a.packet(quick.publicKey, payload(50, n))
        await expectPacket(quick, a, payload(50, n))
      }
    },
  },
  {
    id: 'packet/blocked-reader-is-closed-after-the-write-timeout',
    clauses: ['P-101'],
    alone: true,
    async run(target) {
      const [a, blocked] = [await target.login(), await target.login()]
      blocked.conn.pause()
      const flood = setInterval(() => {
        for (let n = 0; n < 20; n++) a.packet(blocked.publicKey, payload(60_000, n))
      }, 20)
      try {
        // It has sent to us first, so we are told when it leaves.
        blocked.packet(a.publicKey, payload(1, 1))
        await a.messageOf('receivedPacket')
        const gone = await a.messageOf('peerGone')
        equal(String(gone.peer), String(blocked.publicKey))
      } finally {
        clearInterval(flood)
      }
    },
  },
  {
    id: 'preferred/is-taken',
    clauses: ['P-054'],
    async run(target) {
      const a = await target.login()
      a.send({ type: 'notePreferred', preferred: true })
      a.send({ type: 'notePreferred', preferred: false })
      a.sendBytes(encodeFrame(FrameType.NotePreferred, Uint8Array.of(200)))
      await expectNothingBut(a)
    },
  },
  {
    id: 'connection/half-closed-counts-as-gone',
    clauses: ['P-007'],
    needs: ['raw'],
    async run(target) {
      const [a, b] = [await target.login(), await target.login()]
      a.packet(b.publicKey, payload(3, 3))
      await expectPacket(b, a, payload(3, 3))
      a.conn.end()
      equal((await b.messageOf('peerGone')).reason, 0)
    },
  },
  {
    id: 'frame/skipped/several-megabytes',
    clauses: ['P-002'],
    async run(target) {
      const a = await target.login()
      a.sendBytes(encodeFrame(0xee as FrameType, new Uint8Array(3_000_000)))
      ok((await a.sync()).length === 0, 'nothing is said of it')
    },
  },
  ...unknownTypes.map(type => skipped(`unknown-0x${type.toString(16)}`, type, 77)),
  ...Object.entries(serverTypes).map(([name, type]) => skipped(name, type, 100)),
  skipped('unknown-without-body', 0xee, 0),
  skipped('pong-of-another-length', FrameType.Pong, 3),
  wrongLength('send-packet-31', FrameType.SendPacket, 31),
  wrongLength('send-packet-0', FrameType.SendPacket, 0),
  wrongLength('note-preferred-0', FrameType.NotePreferred, 0),
  wrongLength('note-preferred-2', FrameType.NotePreferred, 2),
  wrongLength('ping-0', FrameType.Ping, 0),
  wrongLength('ping-7', FrameType.Ping, 7),
  wrongLength('ping-1001', FrameType.Ping, 1001),
  wrongLength('watch-conns-1', FrameType.WatchConns, 1),
  wrongLength('close-peer-31', FrameType.ClosePeer, 31),
  wrongLength('close-peer-33', FrameType.ClosePeer, 33),
  wrongLength('forward-packet-63', FrameType.ForwardPacket, 63),
]
