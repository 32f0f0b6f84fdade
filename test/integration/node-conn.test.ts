/** Byte streams over sockets, bypassing stream queues, and over other streams, with any chunking. */

import { connect, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { expect, test } from 'vitest'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { listenOnLoopback, startTcpServer } from '../support/socket-server.ts'
import { TLS_CERT, TLS_KEY } from '../support/tls-fixture.ts'

interface Ends extends AsyncDisposable {
  readonly here: Socket
  readonly there: Socket
}

async function plain(): Promise<Ends> {
  const accepted = Promise.withResolvers<Socket>()
  const server = await startTcpServer(socket => accepted.resolve(socket))
  const there = connect(server.port, '127.0.0.1')
  return { here: await accepted.promise, there, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

async function tls(): Promise<Ends> {
  const accepted = Promise.withResolvers<Socket>()
  const listener = createTlsServer({ cert: TLS_CERT, key: TLS_KEY }, socket => accepted.resolve(socket))
  const server = await listenOnLoopback(listener)
  const there = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false })
  return { here: await accepted.promise, there, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** As a dialer may return: a stream that passes chunks by reference. */
async function other(): Promise<Ends> {
  const [here, there] = duplexPair()
  return { here: here as Socket, there: there as Socket, async [Symbol.asyncDispose]() {} }
}

const CARRIERS = { plain, tls, other }

/** Bytes that encode their stream position. */
function counting(from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = (from + at) % 251
  return bytes
}

function write(conn: NodeConn, ...chunks: readonly Uint8Array[]): Promise<Error | undefined> {
  return new Promise(resolve => conn.write(chunks, resolve))
}

async function read(socket: Socket, length: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let total = 0
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk)
    total += chunk.length
    if (total >= length) break
  }
  return Buffer.concat(chunks)
}

test.each(Object.entries(CARRIERS))(
  'NodeConn writes one, few, many and large chunks in order: %s',
  async (carrier, open) => {
    await using ends = await open()
    const conn = new NodeConn(ends.here)
    const sizes = [[1], [10, 20], Array(200).fill(101), [40_000, 30_000], [1, 100_000], [400_000, 5]]
    const total = sizes.flat().reduce((sum, size) => sum + size, 0)
    const got = read(ends.there, total)
    let at = 0
    for (const group of sizes) {
      const chunks = group.map(size => {
        const chunk = counting(at, size)
        at += size
        return chunk
      })
      expect(await write(conn, ...chunks)).toBeUndefined()
      // Other streams pass chunks by reference.
      if (carrier !== 'other') for (const chunk of chunks) chunk.fill(255)
    }
    const bytes = await got
    expect(bytes.length).toBe(total)
    expect(Buffer.compare(bytes, counting(0, total))).toBe(0)
    conn.destroy()
  },
)

test.each(Object.entries(CARRIERS))(
  'NodeConn does not report a write before the call has returned: %s',
  async (_, open) => {
    await using ends = await open()
    const conn = new NodeConn(ends.here)
    ends.there.resume()
    for (let n = 0; n < 3; n++) {
      let returned = false
      const reported = new Promise(resolve => conn.write([counting(0, 100)], () => resolve(returned)))
      returned = true
      expect(await reported).toBe(true)
    }
    conn.destroy()
  },
)

test.each(Object.entries(CARRIERS))(
  'NodeConn delivers all bytes in order across pauses, and then the end: %s',
  async (_, open) => {
    await using ends = await open()
    const conn = new NodeConn(ends.here)
    const total = 1_000_000
    const chunks: Uint8Array[] = []
    let paused = false
    let whilePaused = 0
    const closed = new Promise<Error | undefined>(onClose =>
      conn.open({
        onData: chunk => {
          chunks.push(chunk)
          if (paused) whilePaused++
          if (chunks.length % 3 !== 0) return
          paused = true
          conn.pause()
          setImmediate(() => {
            paused = false
            conn.resume()
          })
        },
        onClose,
      }),
    )
    for (let at = 0; at < total; at += 1_000) ends.there.write(counting(at, 1_000))
    ends.there.end()
    expect(await closed).toBeUndefined()
    expect(whilePaused).toBe(0)
    expect(Buffer.compare(Buffer.concat(chunks), counting(0, total))).toBe(0)
  },
)

test.each([
  ['plain', plain],
  ['tls', tls],
] as const)('NodeConn.end during a write takes effect after the write: %s', async (_, open) => {
  await using ends = await open()
  const conn = new NodeConn(ends.here)
  const total = 3_000_000
  const written = write(conn, counting(0, total))
  conn.end()
  const bytes = await read(ends.there, total + 1)
  expect(bytes.length).toBe(total)
  expect(await written).toBeUndefined()
})

test.each([
  ['plain', plain],
  ['tls', tls],
] as const)('NodeConn reports a write that fails, and closes: %s', async (_, open) => {
  await using ends = await open()
  const conn = new NodeConn(ends.here)
  const closed = new Promise<Error | undefined>(onClose => conn.open({ onData: () => {}, onClose }))
  ends.there.pause()
  const written = write(conn, new Uint8Array(8 << 20), new Uint8Array(1))
  conn.destroy()
  expect(await written).toBeInstanceOf(Error)
  await closed
  expect(await write(conn, new Uint8Array(1))).toBeInstanceOf(Error)
})
