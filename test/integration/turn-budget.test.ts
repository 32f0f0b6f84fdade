/** How much of one connection's input is handled in a turn of the event loop: others have their turn too (P-111). */

import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { upgradeHandler } from '../../src/listen/node/node-mount.ts'
import { WebSocketInput } from '../../src/listen/node/websocket-input.ts'
import { encodeFrame } from '../../src/protocol/encode.ts'
import type { FrameType } from '../../src/protocol/frame-type.ts'
import type { Conn } from '../../src/transport/conn.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { IN_BUN } from '../support/own-runtime.ts'
import { settle, until, untilStalled } from '../support/settle.ts'
import { listenOnLoopback, startTcpServer } from '../support/socket-server.ts'
import { TLS_CERT, TLS_KEY } from '../support/tls-fixture.ts'

/** A frame of an unknown type without a body. */
const NO_LENGTH = encodeFrame(0xee as FrameType, new Uint8Array(0))

/** Counts what comes in each turn of the event loop. */
class Turns implements Disposable {
  total = 0
  most = 0
  #current = 0
  #isOver = false

  constructor() {
    const turn = () => {
      this.#current = 0
      if (!this.#isOver) setImmediate(turn)
    }
    turn()
  }

  note(amount: number): void {
    this.total += amount
    this.#current += amount
    this.most = Math.max(this.most, this.#current)
  }

  [Symbol.dispose](): void {
    this.#isOver = true
  }
}

/** Turns of what a counter of the relay counts, which must be zero yet. */
function turnsOf(relay: MemoryRelay, counter: 'gotPing' | 'logins'): Turns {
  const turns = new Turns()
  Object.defineProperty(relay.core.counters, counter, {
    get: () => turns.total,
    set: (value: number) => {
      turns.note(value - turns.total)
    },
  })
  return turns
}

/** Counts the bytes and reads that a connection hands over. */
function count(socket: Socket, { bytes, reads }: { readonly bytes: Turns; readonly reads: Turns }): void {
  const onData = ({ length }: Uint8Array) => {
    bytes.note(length)
    reads.note(1)
  }
  new NodeConn(socket).open({ onData, onClose() {} })
}

test('a connection that sends without end is read in turns of bounded size (P-111)', async () => {
  const accepted = Promise.withResolvers<Socket>()
  await using server = await startTcpServer(socket => accepted.resolve(socket))
  const sender = connect(server.port, '127.0.0.1')
  const total = 32 << 20
  sender.write(Buffer.alloc(total))
  const receiver = await accepted.promise
  // All that the system keeps for it is there when it is first read.
  receiver.pause()
  await settle(50)
  using bytes = new Turns()
  using reads = new Turns()
  count(receiver, { bytes, reads })
  await until(() => bytes.total === total, 'all has come')
  // Bun reads more at a time.
  expect(bytes.most).toBeLessThanOrEqual((256 + (IN_BUN ? 512 : 64)) << 10)
  sender.destroy()
})

/** What a plain socket of Node reads at a time. */
const READ_BYTES = 64 << 10

test('a connection that waits reads nothing from its socket (P-111)', async () => {
  const accepted = Promise.withResolvers<Socket>()
  await using server = await startTcpServer(socket => accepted.resolve(socket))
  const sender = connect(server.port, '127.0.0.1')
  const total = 4 << 20
  sender.write(Buffer.alloc(total))
  const receiver = await accepted.promise
  receiver.pause()
  await settle(50)
  let [handed, ahead, atPause] = [0, 0, 0]
  const conn = new NodeConn(receiver)
  const onData = ({ length }: Uint8Array) => {
    handed += length
    ahead = Math.max(ahead, receiver.bytesRead - handed)
    if (atPause > 0 || handed < total / 2) return
    conn.pause()
    atPause = receiver.bytesRead
  }
  conn.open({ onData, onClose() {} })
  await until(() => atPause > 0, 'it is paused')
  await settle(50)
  expect(receiver.bytesRead).toBe(atPause)
  conn.resume()
  await until(() => handed === total, 'all has come')
  expect(ahead).toBeLessThanOrEqual(READ_BYTES)
  sender.destroy()
})

test('TLS records of a byte are handed over in turns of bounded number (P-111)', async () => {
  const accepted = Promise.withResolvers<Socket>()
  const listener = createTlsServer({ cert: TLS_CERT, key: TLS_KEY }, socket => accepted.resolve(socket))
  await using server = await listenOnLoopback(listener)
  const sender = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false })
  await once(sender, 'secureConnect')
  const receiver = await accepted.promise
  receiver.pause()
  const total = 2_000
  for (let n = 0; n < total; n++) {
    // What is written in one turn may become one record.
    sender.write(Uint8Array.of(n))
    await settle(1)
  }
  using bytes = new Turns()
  using reads = new Turns()
  count(receiver, { bytes, reads })
  await until(() => bytes.total === total, 'all has come')
  expect(reads.most).toBeLessThanOrEqual(64)
  sender.destroy()
})

test('frames of no length are handled in turns of bounded number, those of mesh peers at once (P-111)', async () => {
  const meshKey = 'ab'.repeat(32)
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(meshKey) })
  const client = await relay.login()
  const meshPeer = await relay.login({ info: { meshKey } })
  using frames = turnsOf(relay, 'gotPing')
  const pings = Buffer.concat(Array.from({ length: 2_000 }, () => encodeFrame(0x12 as FrameType, new Uint8Array(8))))
  client.sendBytes(pings)
  await until(() => frames.total === 2_000, 'all are handled')
  expect(frames.most).toBe(256)
  meshPeer.sendBytes(pings)
  await until(() => frames.total === 4_000, 'all are handled')
  expect(frames.most).toBe(2_000)
})

test('long logins are handled one per turn, and all of them (P-112)', async () => {
  const relay = new MemoryRelay()
  using logins = turnsOf(relay, 'logins')
  const json = `{"version":2,"other":"${'x'.repeat(200_000)}"}`
  const clients = Array.from({ length: 20 }, () => relay.connect())
  await Promise.all(clients.map(client => client.greeting()))
  const hellos = await Promise.all(clients.map(client => client.hello({ json })))
  for (const [at, client] of clients.entries()) client.sendBytes(hellos[at] ?? new Uint8Array())
  await Promise.all(clients.map(client => client.serverInfo()))
  expect([logins.total, logins.most]).toEqual([20, 1])
})

test('connections of one key share one budget of frames, each in its turn (P-111)', async () => {
  const relay = new MemoryRelay()
  const privateKey = NodePrivateKey.generate()
  const clients = [
    await relay.login({ privateKey }),
    await relay.login({ privateKey }),
    await relay.login({ privateKey }),
  ]
  using frames = turnsOf(relay, 'gotPing')
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => encodeFrame(0x12 as FrameType, new Uint8Array(8))))
  for (const client of clients) client.sendBytes(pings)
  await until(() => frames.total === 3_000, 'all are handled')
  // Each of the others has begun when it learns that nothing is left of this turn.
  expect(frames.most).toBeLessThanOrEqual(256 + clients.length)
  for (const client of clients) client.close()
  await until(() => relay.core.sessions.size === 0, 'all have left')
  expect(relay.core.keyTurns.size).toBe(0)
})

/** The bytes of many masked messages of the client; the mask is zero. */
function messages(count: number, payload: readonly number[], opcode = 2): Buffer {
  const message = Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0, ...payload])
  return Buffer.concat(Array.from({ length: count }, () => message))
}

const HANDSHAKE =
  'GET /derp HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: derp\r\n\r\n'

/** Accepts each upgrade as a WebSocket. */
function webSocketServer(accept: (conn: Conn) => void) {
  const service = { answer: () => ({ protocol: 'websocket', responseHead: '', remote: undefined, accept }) as const }
  return createServer().on(
    'upgrade',
    upgradeHandler(service, () => true),
  )
}

test.each([
  ['empty messages', messages(20_000, [])],
  ['messages of a byte', messages(20_000, [0])],
  ['pongs', messages(20_000, [], 10)],
])('%s over WebSocket are handled in turns of bounded number, and all of them (P-111)', async (_, bytes) => {
  using seen = new Turns()
  const accept = (conn: Conn) => conn.open({ onData: () => seen.note(1), onEmpty: () => seen.note(1), onClose() {} })
  await using server = await listenOnLoopback(webSocketServer(accept))
  const socket = connect(server.port, '127.0.0.1')
  socket.write(HANDSHAKE)
  socket.write(bytes)
  await until(() => seen.total === 20_000, 'all have come')
  // A piece of 2 KiB is handled whole.
  expect(seen.most).toBeLessThanOrEqual(64 + 2_048 / 6)
  socket.destroy()
})

test('a WebSocket that is paused hands over nothing, and all in order when it goes on (P-111)', async () => {
  const received: number[] = []
  const accepted = Promise.withResolvers<Conn>()
  const accept = (conn: Conn) => {
    conn.open({ onData: ([byte = 0]) => void received.push(byte), onClose() {} })
    accepted.resolve(conn)
  }
  await using server = await listenOnLoopback(webSocketServer(accept))
  const socket = connect(server.port, '127.0.0.1')
  socket.write(HANDSHAKE)
  const conn = await accepted.promise
  const numbers = Array.from({ length: 2_000 }, (__, n) => n % 251)
  conn.pause()
  socket.write(Buffer.concat(numbers.map(n => messages(1, [n]))))
  await settle(50)
  expect(received).toEqual([])
  conn.resume()
  await until(() => received.length === numbers.length, 'all have come')
  expect(received).toEqual(numbers)
  socket.destroy()
})

test('a WebSocket that is paused reads nothing from its socket (P-111)', async () => {
  const [raw, accepted] = [Promise.withResolvers<Socket>(), Promise.withResolvers<Conn>()]
  const accept = (conn: Conn) => {
    conn.open({ onData() {}, onClose() {} })
    accepted.resolve(conn)
  }
  const http = webSocketServer(accept).on('connection', raw.resolve)
  await using server = await listenOnLoopback(http)
  const socket = connect(server.port, '127.0.0.1')
  socket.write(HANDSHAKE)
  const conn = await accepted.promise
  conn.pause()
  const bytes = messages(
    200_000,
    Array.from({ length: 125 }, () => 0),
  )
  socket.write(bytes)
  const receiver = await raw.promise
  await untilStalled(() => receiver.bytesRead)
  // What its stream takes ahead.
  expect(receiver.bytesRead).toBeLessThan(1 << 20)
  socket.destroy()
})

test('a WebSocket that is flooded reads no further ahead than the stream of its socket may (P-111)', async () => {
  const accepted = Promise.withResolvers<Socket>()
  await using server = await startTcpServer(socket => accepted.resolve(socket))
  const sender = connect(server.port, '127.0.0.1')
  const receiver = await accepted.promise
  let pieces = 0
  const input = new WebSocketInput(receiver, systemClock)
  receiver.on('data', () => {
    pieces++
    // So many that the budget of the turn is used up.
    for (let message = 0; message < 64; message++) input.noteMessage()
  })
  sender.write(Buffer.alloc(64 << 20))
  let most = 0
  await until(() => {
    most = Math.max(most, receiver.readableLength)
    return pieces > 500
  }, 'much has come')
  expect(most).toBeLessThanOrEqual(2 << 20)
  sender.destroy()
})

/** A frame that a burst has room for 2,049 times. */
const FLOOR_FRAMES = Math.floor(65_568 / 32)

test('frames of no length, empty messages and reads of a byte count for the rate limit (P-103)', async () => {
  const relay = new MemoryRelay({ rateLimit: { bytesPerSecond: 1_000, burstBytes: 0 } })
  const waits = () => relay.core.counters.rateLimitWaits
  const byFrames = await relay.login()
  byFrames.sendBytes(Buffer.concat(Array.from({ length: FLOOR_FRAMES + 1 }, () => NO_LENGTH)))
  await until(() => waits() === 1, 'frames had to wait')

  const byReads = await relay.login()
  for (let n = 0; n < FLOOR_FRAMES + 100; n++) byReads.sendBytes(Uint8Array.of(0))
  await until(() => waits() === 2, 'reads had to wait')

  const empties = await relay.login()
  const [idle] = [...relay.core.sessions].slice(-1)
  for (let n = 0; n <= FLOOR_FRAMES; n++) idle?.onEmpty()
  expect(waits()).toBe(3)
  empties.close()
})
