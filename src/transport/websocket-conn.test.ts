import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import type { ConnHandler } from './conn.ts'
import { MAX_SENT_MESSAGE_BYTES, WebSocketConn, type WebSocketShape } from './websocket-conn.ts'

type Listener = (event: never) => void

/** A WebSocket controlled by the test. */
class FakeWebSocket implements WebSocketShape {
  binaryType = 'blob'
  bufferedAmount = 0
  readonly sent: Uint8Array[] = []
  readonly closes: (number | string)[][] = []
  /** Codes for which `close` throws, as in browsers. */
  forbiddenCode: number | undefined
  readonly #listeners = new Map<string, Listener[]>()

  send(data: Uint8Array): void {
    this.sent.push(data)
  }

  close(code?: number, reason?: string): void {
    if (code !== undefined && code === this.forbiddenCode) throw new Error('InvalidAccessError')
    this.closes.push([...(code === undefined ? [] : [code]), ...(reason === undefined ? [] : [reason])])
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  emit(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never)
  }

  message(...bytes: number[]): void {
    this.emit('message', { data: Uint8Array.from(bytes).buffer })
  }
}

class Recorder implements ConnHandler {
  readonly chunks: number[][] = []
  readonly closes: (Error | undefined)[] = []
  onData(chunk: Uint8Array): void {
    this.chunks.push([...chunk])
  }
  onClose(error?: Error): void {
    this.closes.push(error)
  }
}

function open(): { socket: FakeWebSocket; conn: WebSocketConn; seen: Recorder; clock: FakeClock } {
  const socket = new FakeWebSocket()
  const clock = new FakeClock()
  const conn = new WebSocketConn(socket, { clock })
  const seen = new Recorder()
  conn.open(seen)
  return { socket, conn, seen, clock }
}

const written = (conn: WebSocketConn, ...chunks: Uint8Array[]) =>
  new Promise<Error | undefined>(resolve => conn.write(chunks, resolve))

test('WebSocketConn delivers messages as they arrive, whatever their byte view (P-151)', async () => {
  const { socket, seen } = open()
  expect(socket.binaryType).toBe('arraybuffer')
  socket.message(1, 2)
  socket.message()
  socket.emit('message', { data: Uint8Array.of(9, 3, 9).subarray(1, 2) })
  await settle()
  expect(seen.chunks).toEqual([[1, 2], [3]])
})

test('WebSocketConn buffers messages received before it is opened', async () => {
  const socket = new FakeWebSocket()
  const conn = new WebSocketConn(socket)
  socket.message(1)
  const seen = new Recorder()
  conn.open(seen)
  socket.message(2)
  await settle()
  expect(seen.chunks).toEqual([[1], [2]])
})

test('WebSocketConn delivers nothing while paused, then all of it in order, and the end last', async () => {
  const { socket, conn, seen } = open()
  conn.pause()
  socket.message(1)
  socket.message(2)
  socket.emit('close', { code: 1000 })
  await settle()
  expect([seen.chunks, seen.closes]).toEqual([[], []])
  conn.resume()
  await settle()
  expect([seen.chunks, seen.closes]).toEqual([[[1], [2]], [undefined]])
})

test('WebSocketConn stops between two messages when its handler pauses it', async () => {
  const socket = new FakeWebSocket()
  const conn = new WebSocketConn(socket)
  socket.message(1)
  socket.message(2)
  const chunks: number[][] = []
  conn.open({
    onData: chunk => {
      chunks.push([...chunk])
      conn.pause()
    },
    onClose: () => {},
  })
  await settle()
  expect(chunks).toEqual([[1]])
  conn.resume()
  await settle()
  expect(chunks).toEqual([[1], [2]])
})

test('WebSocketConn pauses the socket itself if it can be paused', () => {
  const calls: string[] = []
  const socket = Object.assign(new FakeWebSocket(), {
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
  })
  const conn = new WebSocketConn(socket)
  conn.pause()
  conn.resume()
  expect(calls).toEqual(['pause', 'resume'])
})

test('WebSocketConn sends all chunks of a write in one message (P-151)', async () => {
  const { socket, conn } = open()
  expect(await written(conn, Uint8Array.of(1), Uint8Array.of(2, 3))).toBeUndefined()
  expect(socket.sent).toEqual([Uint8Array.of(1, 2, 3)])
})

test.for([
  [MAX_SENT_MESSAGE_BYTES, [32_768]],
  [MAX_SENT_MESSAGE_BYTES + 1, [32_768, 1]],
  [2 * MAX_SENT_MESSAGE_BYTES, [32_768, 32_768]],
  [70_000, [32_768, 32_768, 4464]],
] as const)('WebSocketConn splits a write of %i bytes to the peer’s message limit (P-152)', async ([size, sizes]) => {
  const { socket, conn } = open()
  const bytes = Uint8Array.from({ length: size }, (_, at) => at)
  expect(await written(conn, bytes)).toBeUndefined()
  expect(socket.sent.map(message => message.length)).toEqual(sizes)
  expect(Buffer.concat(socket.sent).equals(bytes)).toBe(true)
})

test('WebSocketConn reports a write when the bytes before it seem to have been sent', async () => {
  const { socket, conn, clock } = open()
  socket.bufferedAmount = 262_145
  let done = false
  conn.write([Uint8Array.of(1)], () => {
    done = true
  })
  expect(done).toBe(false)
  await settle()
  clock.advance(1_000)
  expect(done).toBe(false)
  socket.bufferedAmount = 262_144
  clock.advance(10)
  expect(done).toBe(true)
})

test('WebSocketConn reports a write when a message comes, as timers of hidden pages are held back', async () => {
  const { socket, conn, clock } = open()
  socket.bufferedAmount = 1 << 20
  let reports = 0
  conn.write([Uint8Array.of(1)], () => reports++)
  await settle()
  socket.message(1)
  expect(reports).toBe(0)
  socket.bufferedAmount = 0
  socket.message(2)
  expect(reports).toBe(1)
  clock.advance(1_000)
  expect([reports, clock.pendingTimers]).toEqual([1, 0])
})

test('WebSocketConn fails a write whose bytes have not been sent when the connection ends', async () => {
  const { socket, conn } = open()
  socket.bufferedAmount = 1 << 20
  const result = written(conn, Uint8Array.of(1))
  await settle()
  socket.emit('close', { code: 1006 })
  expect(await result).toBeInstanceOf(Error)
  expect(await written(conn, Uint8Array.of(2))).toBeInstanceOf(Error)
  expect(socket.sent).toEqual([Uint8Array.of(1)])
})

test('WebSocketConn calls back once, for the last message of a write', async () => {
  const sent: number[] = []
  const failure = new Error('gone')
  const conn = new WebSocketConn(new FakeWebSocket(), {
    send: (message, done) => {
      sent.push(message.length)
      queueMicrotask(() => done(sent.length === 2 ? failure : undefined))
    },
  })
  expect(await written(conn, new Uint8Array(40_000))).toBe(failure)
  expect(sent).toEqual([32_768, 7232])
})

test.for([1000, 1001, 1005])('WebSocketConn treats close code %i as an orderly end (P-153)', async code => {
  const { socket, seen } = open()
  socket.emit('close', { code })
  await settle()
  expect(seen.closes).toEqual([undefined])
})

test('WebSocketConn reports the code of any other close, or the preceding failure', async () => {
  const first = open()
  first.socket.emit('close', { code: 1006 })
  const second = open()
  second.socket.emit('error', { message: 'too long' })
  second.socket.emit('close', { code: 1009 })
  await settle()
  expect(first.seen.closes.map(error => error?.message)).toEqual(['WebSocket closed with code 1006'])
  expect(second.seen.closes.map(error => error?.message)).toEqual(['too long'])
})

test.for([undefined, 1003])(
  'WebSocketConn closes on a text message, also where code %s is forbidden (P-151)',
  async code => {
    const { socket, seen } = open()
    socket.forbiddenCode = code
    socket.emit('message', { data: 'text' })
    socket.message(1)
    await settle()
    expect(socket.closes).toEqual([code === undefined ? [1003, 'binary messages only'] : []])
    expect(seen.chunks).toEqual([])
    expect(seen.closes).toEqual([new Error('read from WebSocket: a message is not binary')])
  },
)

test('WebSocketConn.destroy closes, notifies the handler once and delivers nothing more', async () => {
  const { socket, conn, seen } = open()
  conn.destroy()
  conn.destroy()
  socket.message(1)
  socket.emit('close', { code: 1000 })
  await settle()
  expect(socket.closes[0]).toEqual([1000])
  expect([seen.chunks, seen.closes]).toEqual([[], [undefined]])
})

test('WebSocketConn.end closes after pending writes and keeps reading until the other side has closed', async () => {
  const { socket, conn, seen } = open()
  conn.end()
  socket.message(1)
  await settle()
  expect([socket.closes, seen.chunks, seen.closes]).toEqual([[[1000]], [[1]], []])
  socket.emit('close', { code: 1000 })
  await settle()
  expect(seen.closes).toEqual([undefined])
})
