import { createServer, IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { createHttpListener, type HttpListener } from '../../src/listen/node/http-listener.ts'
import { EarlyRequest, NodeRequest } from '../../src/listen/node/node-request.ts'
import { UpgradeHeadReader } from '../../src/listen/upgrade-head.ts'
import { createRelay } from '../../src/relay.ts'
import type { Conn } from '../../src/transport/conn.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange as rawExchange } from '../support/raw-http.ts'

const REQUEST = 'GET /derp HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** Whether a connection was handled early or by `node:http`. */
async function serve(derp = true): Promise<{ listener: HttpListener; port: number; seen: string[] }> {
  const seen: string[] = []
  const listener = createHttpListener({
    routes: {
      answer: request => {
        const isEarly = request instanceof EarlyRequest
        if (!derp || request.headers['upgrade'] === undefined) {
          seen.push(`reply to ${request.target}`)
          return { status: 200, body: 'ok' }
        }
        const accept = (conn: Conn) => {
          const kind = isEarly ? 'early' : 'by node:http'
          seen.push(kind)
          conn.open({ onData: bytes => seen.push(`${kind}: ${Buffer.from(bytes)}`), onClose: () => {} })
          conn.end()
        }
        return { protocol: 'derp', responseHead: '', remote: request.remote, accept }
      },
    },
    acceptTimeoutMs: 10_000,
  })
  const { port } = await listener.listen(0, '127.0.0.1')
  cleanups.push(() => listener.close())
  return { listener, port, seen }
}

/** Sends text and resolves to the response when the server closes. */
function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  return answerOf(socket)
}

/** The same, with each piece in a separate read. */
function exchangePieces({ server }: HttpListener, pieces: readonly string[]): Promise<string> {
  const [client, served] = duplexPair()
  server.emit('connection', Object.assign(served, { remoteAddress: '127.0.0.1', setNoDelay: () => {} }))
  for (const piece of pieces) client.write(piece)
  return answerOf(client)
}

function answerOf(socket: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    socket.on('data', chunk => {
      answer += chunk.toString()
    })
    socket.on('end', () => resolve(answer))
    socket.on('end', () => socket.end())
    socket.on('error', reject)
  })
}

test('an upgrade request never reaches node:http (P-120)', async () => {
  const { port, seen } = await serve()
  await exchange(port, `${REQUEST}first bytes`)
  expect(seen).toEqual(['early', 'early: first bytes'])
})

test('with DERP disabled it reaches node:http untouched', async () => {
  const { port, seen } = await serve(false)
  const socket = connect(port, '127.0.0.1')
  await rawExchange(socket, REQUEST)
  socket.destroy()
  expect(seen).toEqual(['reply to /derp', 'reply to /derp'])
})

test.each([
  ['in one piece', ['GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n']],
  ['in pieces', ['G', 'ET /x HTTP/1.1\r\nHo', 'st: a\r\nConnection: close\r\n', '\r\n']],
])('another request, %s, is served by node:http', async (_, pieces) => {
  const { listener, seen } = await serve()
  expect(await exchangePieces(listener, pieces)).toMatch(/^HTTP\/1.1 200 OK/)
  expect(seen).toEqual(['reply to /x'])
})

test('an upgrade request in pieces is left to node:http', async () => {
  const { listener, seen } = await serve()
  await exchangePieces(listener, [REQUEST.slice(0, 9), REQUEST.slice(9)])
  expect(seen).toEqual(['by node:http'])
})

test('a client that sends nothing and closes is closed', async () => {
  const { port, seen } = await serve()
  const socket = connect(port, '127.0.0.1')
  socket.end()
  await new Promise(resolve => socket.resume().on('close', resolve))
  expect(seen).toEqual([])
})

test('early parsing gives the same result as node:http (P-120)', async () => {
  const text = REQUEST.replace('\r\n\r\n', '\r\nX-One:  two  three\r\nDerp-Fast-Start: 1\r\n\r\n').replace(
    '  two',
    ' two',
  )
  const early = new UpgradeHeadReader().read(Buffer.from(text))
  const server = createServer()
  const read = new Promise<IncomingMessage>(resolve => {
    server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
      resolve(request)
      socket.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise(resolve => server.close(resolve)))
  await exchange((server.address() as AddressInfo).port, text)
  const request = await read
  expect(early?.headers).toEqual({ ...request.headersDistinct })
  const told = [new EarlyRequest(early?.headers ?? {}, request.socket, undefined), new NodeRequest(request)]
  expect(told.map(({ method, target, version }) => [method, target, version])).toEqual([
    ['GET', '/derp', '1.1'],
    ['GET', '/derp', '1.1'],
  ])
})

test('a listener passes upgrades to the program’s handler, as parsed by node:http', async () => {
  const relay = createRelay({ privateKey: NodePrivateKey.generate() })
  cleanups.push(() => relay.close())
  const handed: unknown[] = []
  const listener = createHttpListener({
    routes: relay.routes,
    upgrade: (request, ...rest) => {
      handed.push(request instanceof IncomingMessage)
      relay.handleUpgrade(request, ...rest)
    },
    acceptTimeoutMs: 10_000,
  })
  const { port } = await listener.listen(0, '127.0.0.1')
  cleanups.push(() => listener.close())
  const socket = connect(port, '127.0.0.1')
  const { status, body } = await rawExchange(socket, REQUEST)
  const client = await RawClient.login(new NodeConn(socket, body))
  expect([status, handed]).toEqual([101, [true]])
  client.close()
})
