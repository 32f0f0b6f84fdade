import { expect, test } from 'vitest'
import { settle } from '../../../test/support/settle.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../lib/bytes.ts'
import { encodeFrame } from '../../protocol/encode.ts'
import { FrameType } from '../../protocol/frame-type.ts'
import { encodeGreeting } from '../../protocol/login.ts'
import { type MemoryConn, memoryConnPair } from '../../transport/memory-conn.ts'
import { FastStartConn } from './fast-start-conn.ts'

const KEY = NodePrivateKey.generate().publicKey()
const GREETING = encodeGreeting(KEY)
const REQUEST = encodeUtf8('GET /derp HTTP/1.1\r\n\r\n')

function setUp() {
  const [client, server] = memoryConnPair({ clientAddress: { address: '192.0.2.1', port: 1 } })
  let mistaken = 0
  const conn = new FastStartConn(client, {
    request: REQUEST,
    path: '/derp',
    serverKey: KEY,
    onMistaken: () => mistaken++,
  })
  const received: Uint8Array[] = []
  const closed: (Error | undefined)[] = []
  const handler = {
    onData: (chunk: Uint8Array) => void received.push(chunk),
    onClose: (error?: Error) => void closed.push(error),
  }
  const say = async (...chunks: readonly Uint8Array[]) => {
    for (const chunk of chunks) {
      server.write([chunk], () => {})
      await settle(1)
    }
  }
  return { conn, server, handler, closed, say, mistakes: () => mistaken, received: () => concatBytes(received) }
}

function listen(server: MemoryConn): () => readonly string[] {
  const chunks: string[] = []
  server.open({ onData: chunk => void chunks.push(decodeUtf8(chunk)), onClose: () => {} })
  return () => chunks
}

const bytewise = (bytes: Uint8Array) => [...bytes].map(byte => Uint8Array.of(byte))

test('FastStartConn sends its request with the first write and not before (P-213)', async () => {
  const { conn, server, handler } = setUp()
  const heard = listen(server)
  conn.open(handler)
  await settle()
  expect(heard()).toEqual([])
  let done = 0
  conn.write([encodeUtf8('info'), encodeUtf8('more')], () => done++)
  await settle()
  conn.write([encodeUtf8('next')], () => done++)
  await settle()
  expect(heard()).toEqual([decodeUtf8(REQUEST), 'info', 'more', 'next'])
  expect(done).toBe(2)
})

test.each([
  ['a greeting', GREETING],
  [
    'a long greeting and more',
    concatBytes([encodeFrame(FrameType.ServerKey, GREETING.subarray(5), new Uint8Array(9)), GREETING]),
  ],
  ['another frame', encodeFrame(FrameType.KeepAlive)],
  ['a greeting too short for a key', encodeFrame(FrameType.ServerKey, GREETING.subarray(5, 20))],
  ['a greeting without magic', encodeFrame(FrameType.ServerKey, new Uint8Array(40))],
  ['garbage', new Uint8Array(100).fill(0xa5)],
])('FastStartConn passes on %s, whole or byte by byte (P-213)', async (_what, bytes) => {
  for (const chunks of [[bytes], bytewise(bytes)]) {
    const { conn, handler, received, say, mistakes } = setUp()
    conn.open(handler)
    await say(...chunks, encodeUtf8('more'))
    expect(received()).toEqual(concatBytes([bytes, encodeUtf8('more')]))
    expect(mistakes()).toBe(0)
  }
})

test('FastStartConn ends when the relay’s key is not the expected one (P-213)', async () => {
  const other = encodeGreeting(NodePrivateKey.generate().publicKey())
  for (const chunks of [[other], bytewise(other)]) {
    const { conn, handler, received, closed, say, mistakes } = setUp()
    conn.open(handler)
    await say(...chunks, encodeUtf8('more'))
    expect(received()).toHaveLength(0)
    expect(closed).toMatchObject([{ code: 'ERR_DERP_LOGIN_KEY_WRONG', clause: 'P-213' }])
    expect(mistakes()).toBe(1)
  }
})

test('FastStartConn recognises an HTTP response (P-213)', async () => {
  const answer = encodeUtf8('HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nnothing here')
  for (const [chunks, excerpt] of [[[answer], 'nothing here'] as const, [bytewise(answer), ''] as const]) {
    const { conn, handler, received, closed, say, mistakes } = setUp()
    conn.open(handler)
    await say(...chunks)
    expect(received()).toHaveLength(0)
    expect(closed).toMatchObject([{ code: 'ERR_DERP_UPGRADE_REFUSED', status: 404, excerpt }])
    expect(mistakes()).toBe(1)
  }
})

test('FastStartConn skips an unexpected 101 (P-213)', async () => {
  const bytes = concatBytes([encodeUtf8('HTTP/1.1 101 Switching Protocols\r\n\r\n'), GREETING])
  for (const chunks of [[bytes], bytewise(bytes)]) {
    const { conn, handler, received, say, mistakes } = setUp()
    conn.open(handler)
    await say(...chunks)
    expect(received()).toEqual(GREETING)
    expect(mistakes()).toBe(0)
  }
})

test('FastStartConn reports a truncated response, and passes on other ends', async () => {
  const cut = setUp()
  cut.conn.open(cut.handler)
  await cut.say(encodeUtf8('HTTP/1.1 404'))
  cut.server.end()
  await settle()
  expect(cut.closed).toMatchObject([{ code: 'ERR_DERP_CONN_CLOSED' }])

  const ended = setUp()
  ended.conn.open(ended.handler)
  await ended.say(GREETING.subarray(0, 20))
  ended.server.end()
  await settle()
  expect(ended.closed).toEqual([undefined])
  expect(ended.mistakes()).toBe(1)
})

test('FastStartConn switches handlers, pauses, and reports its addresses', async () => {
  const { conn, handler, received, closed, say } = setUp()
  expect([conn.local?.port, conn.remote]).toEqual([1, undefined])
  const earlier: Uint8Array[] = []
  conn.open({ onData: chunk => void earlier.push(chunk), onClose: () => {} })
  await say(GREETING)
  conn.open(handler)
  conn.pause()
  await say(encodeUtf8('later'))
  expect(received()).toHaveLength(0)
  conn.resume()
  await settle()
  expect([concatBytes(earlier), decodeUtf8(received())]).toEqual([GREETING, 'later'])
  conn.destroy()
  await settle()
  expect(closed).toEqual([undefined])
})
