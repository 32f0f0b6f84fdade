/** Other connections work, whatever one connection does. */

import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../../src/lib/bytes.ts'
import { encodeClientToServer, encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { NodeConn } from '../../../src/transport/node-conn.ts'
import { payload } from '../../support/payload.ts'
import { RawClient } from '../../support/raw-client.ts'
import { expectHarmless } from '../bystanders.ts'
import type { ConformanceCase, Need } from '../case.ts'
import { expectClosed, expectNothingBut, expectPacket, expectRelays, ok, strangerKey } from '../check.ts'
import { readHead, type Target } from '../target.ts'

/** Connections per case. */
const ATTEMPTS = 5

/** Numbered attacks in sequence; bystanders are unaffected. */
const hostile = (
  id: string,
  clauses: readonly string[],
  attack: (target: Target, seed: number) => Promise<void>,
  needs: readonly Need[] = [],
): ConformanceCase => ({
  id: `hostile/${id}`,
  clauses,
  needs,
  run: target =>
    expectHarmless(target, async () => {
      for (let seed = 1; seed <= ATTEMPTS; seed++) await attack(target, seed)
    }),
})

/** Opens a socket, uses it, and resets it. */
async function withSocket(target: Target, use: (socket: Socket) => Promise<void>): Promise<void> {
  const socket = await target.socket()
  socket.on('error', () => {})
  try {
    await use(socket)
  } finally {
    target.reset(socket)
  }
}

/** A client on a socket that can be reset; `login` sends ClientInfo and reads ServerInfo. */
async function onSocket(target: Target, socket: Socket): Promise<RawClient> {
  socket.write(target.upgradeRequest({}))
  const { rest } = await readHead(socket)
  return new RawClient(new NodeConn(socket, rest))
}

/** Waits until the relay has handled the bytes, or closed the connection. */
const sent = async (client: RawClient): Promise<void> => {
  await Promise.race([client.flushed(), client.closed()])
  await delay(10)
}

const randomBytes: ConformanceCase[] = [1, 2, 3, 4].flatMap(series => [
  hostile(
    `random-bytes-for-http/${series}`,
    ['P-030'],
    (target, seed) =>
      withSocket(target, async socket => {
        socket.write(payload(seed * 700, series * 100 + seed))
        await delay(10)
      }),
    ['raw'],
  ),
  hostile(`random-bytes-for-a-login/${series}`, ['P-003', 'P-030'], async (target, seed) => {
    const client = await target.connect()
    client.sendBytes(payload(seed * 300, series * 100 + seed))
    await sent(client)
    client.close()
  }),
  hostile(`random-bytes-after-login/${series}`, ['P-002', 'P-003'], async (target, seed) => {
    const client = await target.login()
    client.sendBytes(payload(seed * 3_000, series * 100 + seed))
    await sent(client)
    client.close()
  }),
  hostile(`random-frames-after-login/${series}`, ['P-002', 'P-003'], async (target, seed) => {
    const client = await target.login()
    const random = payload(60, series * 100 + seed)
    for (let n = 0; n < 20; n++) {
      const [type, length] = [(random[n * 2] as number) % 0x20, random[n * 2 + 1] as number]
      client.sendBytes(encodeFrame(type as FrameType, payload(length, n + 1)))
    }
    await sent(client)
    client.close()
  }),
])

/** Where a login is cut off. */
const TRUNCATIONS = [0, 1, 4, 5, 6, 36, 37, 60, 61, 90]

const endings: ConformanceCase[] = [
  hostile('connect-and-close', ['P-007'], target => withSocket(target, async () => {}), ['raw']),
  hostile('half-a-request', ['P-120'], target => halfRequest(target, 20), ['raw']),
  hostile('request-without-its-empty-line', ['P-120'], target => halfRequest(target, -2), ['raw']),
  hostile('leaves-before-the-greeting', ['P-007', 'P-030'], async target => (await target.connect()).close()),
  hostile('leaves-after-the-greeting', ['P-007', 'P-030'], async target => {
    const client = await target.connect()
    await client.greeting()
    client.close()
  }),
  {
    id: 'hostile/truncated-login',
    clauses: ['P-007', 'P-030'],
    run: target =>
      expectHarmless(target, async () => {
        for (const length of TRUNCATIONS) {
          const client = await target.connect()
          await client.greeting()
          client.sendBytes((await client.hello()).subarray(0, length))
          await client.flushed()
          client.close()
        }
      }),
  },
  hostile('leaves-before-server-info', ['P-007', 'P-036'], async target => {
    const client = await target.connect()
    await client.greeting()
    client.sendBytes(await client.hello())
    await client.flushed()
    client.close()
  }),
  hostile('leaves-in-the-middle-of-a-header', ['P-007'], target => leavesAfter(target, 3)),
  hostile('leaves-after-a-header', ['P-007'], target => leavesAfter(target, 5)),
  hostile('leaves-in-the-middle-of-a-key', ['P-007'], target => leavesAfter(target, 20)),
  hostile('leaves-in-the-middle-of-a-payload', ['P-007'], target => leavesAfter(target, 600)),
]

const resets: ConformanceCase[] = [
  hostile(
    'reset-before-login',
    ['P-007'],
    target => withSocket(target, async socket => void (await (await onSocket(target, socket)).greeting())),
    ['raw'],
  ),
  hostile(
    'reset-right-behind-client-info',
    ['P-007', 'P-036'],
    target =>
      withSocket(target, async socket => {
        const client = await onSocket(target, socket)
        await client.greeting()
        client.sendBytes(await client.hello())
        await client.flushed()
      }),
    ['raw'],
  ),
  hostile(
    'reset-while-sending',
    ['P-007'],
    target =>
      withSocket(target, async socket => {
        const client = await onSocket(target, socket)
        await client.login()
        for (let n = 0; n < 50; n++) client.packet(strangerKey(), payload(5_000, n))
      }),
    ['raw'],
  ),
  hostile(
    'reset-while-receiving',
    ['P-007', 'P-100'],
    target =>
      withSocket(target, async socket => {
        const client = await onSocket(target, socket)
        await client.login()
        client.conn.pause()
        for (let n = 0; n < 50; n++) client.packet(client.publicKey, payload(60_000, n))
        await delay(20)
      }),
    ['raw'],
  ),
]

/** Announces 4 GiB for a type with or without bounds. */
const claims = (name: string, type: number, closes: boolean): ConformanceCase => ({
  id: `hostile/claims-4-gib/${name}`,
  clauses: closes ? ['P-003'] : ['P-002'],
  run: target =>
    expectHarmless(target, async () => {
      const client = await target.login()
      client.sendBytes(Uint8Array.of(type, 255, 255, 255, 255))
      // 1.84.1 checks the bounds of a packet only when it has its key.
      client.sendBytes(strangerKey().bytes)
      if (closes) await expectClosed(client)
      else for (let n = 0; n < 20; n++) client.sendBytes(new Uint8Array(10_000))
      await sent(client)
      ok(client.isClosed === closes, closes ? 'closed' : 'still read from')
    }),
})

const dribbled: ConformanceCase[] = [
  {
    id: 'hostile/byte-by-byte/packets',
    clauses: ['P-001'],
    run: target =>
      expectHarmless(target, async () => {
        const [a, b] = [await target.login(), await target.login()]
        for (let n = 0; n < 3; n++) {
          const data = payload(30, n)
          for (const byte of encodeClientToServer({ type: 'sendPacket', destination: b.publicKey, data })) {
            a.sendBytes(Uint8Array.of(byte))
            await a.flushed()
          }
          await expectPacket(b, a, data)
        }
      }),
  },
  {
    id: 'hostile/byte-by-byte/from-several-at-once',
    clauses: ['P-001'],
    run: target =>
      expectHarmless(target, async () => {
        const receiver = await target.login()
        const senders = await Promise.all([1, 2, 3, 4].map(() => target.login()))
        const frames = senders.map((_, n) =>
          encodeClientToServer({ type: 'sendPacket', destination: receiver.publicKey, data: payload(40, n) }),
        )
        for (let at = 0; at < (frames[0] as Uint8Array).length; at++) {
          for (const [n, sender] of senders.entries()) sender.sendBytes((frames[n] as Uint8Array).subarray(at, at + 1))
          await Promise.all(senders.map(sender => sender.flushed()))
        }
        const sources = new Set<string>()
        for (const _ of senders) sources.add(String((await receiver.messageOf('receivedPacket')).source))
        ok(sources.size === senders.length, 'one packet of each')
      }),
  },
  hostile('slow-login-is-left-waiting', ['P-030', 'P-035'], async target => {
    const client = await target.connect()
    await client.greeting()
    const hello = await client.hello()
    client.sendBytes(hello.subarray(0, 10))
    await sent(client)
    ok(!client.isClosed, 'it has time')
  }),
]

const imposters: ConformanceCase[] = [
  {
    id: 'hostile/forged-login-does-not-touch-the-owner',
    clauses: ['P-032', 'P-036'],
    async run(target) {
      const privateKey = NodePrivateKey.generate()
      const [owner, other] = [await target.login({ privateKey }), await target.login()]
      for (let n = 0; n < 3; n++) {
        const forger = await target.connect()
        await forger.greeting()
        forger.sendBytes(encodeFrame(FrameType.ClientInfo, owner.publicKey.bytes, payload(100, n)))
        await expectClosed(forger)
        await expectRelays(other, owner)
      }
      await expectNothingBut(owner)
    },
  },
  {
    id: 'hostile/replayed-login-does-not-get-in-at-another-key',
    clauses: ['P-022', 'P-032'],
    run: target =>
      expectHarmless(target, async () => {
        const client = await target.connect()
        await client.greeting()
        const hello = await client.hello()
        const changed = Uint8Array.from(hello)
        changed.set(strangerKey().bytes, 5)
        client.sendBytes(changed)
        await expectClosed(client)
      }),
  },
  hostile('http-after-login', ['P-003'], async target => {
    const client = await target.login()
    client.sendBytes(encodeUtf8('GET / HTTP/1.1\r\nHost: relay\r\n\r\n'.repeat(5)))
    await sent(client)
    client.close()
  }),
]

const floods: ConformanceCase[] = [
  {
    id: 'hostile/fifty-connections-that-say-nothing',
    clauses: ['P-035'],
    run: target =>
      expectHarmless(target, async () => {
        await Promise.all(Array.from({ length: 50 }, () => target.connect()))
      }),
  },
  {
    id: 'hostile/fifty-logins-that-leave-at-once',
    clauses: ['P-007', 'P-036'],
    run: target =>
      expectHarmless(target, async () => {
        const clients = await Promise.all(Array.from({ length: 50 }, () => target.login()))
        for (const client of clients) client.close()
      }),
  },
  {
    id: 'hostile/one-key-in-thirty-places',
    clauses: ['P-065'],
    run: target =>
      expectHarmless(target, async () => {
        const privateKey = NodePrivateKey.generate()
        const clients = await Promise.all(Array.from({ length: 30 }, () => target.login({ privateKey })))
        for (const client of clients) client.packet(client.publicKey, payload(100, 1))
        for (const client of clients) client.close()
      }),
  },
  {
    id: 'hostile/not-here-for-five-hundred-strangers',
    clauses: ['P-055', 'P-061'],
    run: target =>
      expectHarmless(target, async () => {
        const client = await target.login()
        for (let n = 0; n < 500; n++) client.packet(strangerKey(), payload(100, n))
        await client.sync()
      }),
  },
]

async function halfRequest(target: Target, until: number): Promise<void> {
  await withSocket(target, async socket => {
    socket.write(target.upgradeRequest({}).slice(0, until))
    await delay(10)
  })
}

async function leavesAfter(target: Target, bytes: number): Promise<void> {
  const client = await target.login()
  const data = payload(1_000, 1)
  client.sendBytes(encodeClientToServer({ type: 'sendPacket', destination: strangerKey(), data }).subarray(0, bytes))
  await client.flushed()
  client.close()
}

export const hostileCases: readonly ConformanceCase[] = [
  ...randomBytes,
  ...endings,
  ...resets,
  claims('send-packet', FrameType.SendPacket, true),
  claims('ping', FrameType.Ping, true),
  claims('watch-conns', FrameType.WatchConns, true),
  claims('note-preferred', FrameType.NotePreferred, true),
  claims('unknown', 0x7f, false),
  claims('recv-packet', FrameType.RecvPacket, false),
  ...dribbled,
  ...imposters,
  ...floods,
]
