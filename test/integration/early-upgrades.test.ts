import { createServer, IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { createRoutes } from '../../src/http/routes.ts'
import { createHttpListener, type HttpListener } from '../../src/listen/node/http-listener.ts'
import { UpgradeHeadReader } from '../../src/listen/upgrade-head.ts'

const REQUEST = 'GET /derp HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** What came of a connection: taken early, or a request of `node:http`. */
async function serve(derp = true): Promise<{ listener: HttpListener; port: number; seen: string[] }> {
  const seen: string[] = []
  const answer = (request: { url?: string | undefined }, response: ServerResponse) => {
    seen.push(`http ${request.url}`)
    response.end('ok')
  }
  const listener = createHttpListener({
    routes: { ...createRoutes({ derp }), exact: new Map(), fallback: answer },
    upgrade: (request, socket, head) => {
      seen.push(`${request instanceof IncomingMessage ? 'upgrade' : 'early'} ${request.url} ${Buffer.from(head)}`)
      socket.end()
    },
    acceptTimeoutMs: 10_000,
  })
  const { port } = await listener.listen(0, '127.0.0.1')
  cleanups.push(() => listener.close())
  return { listener, port, seen }
}

/** Sends text and resolves with the answer when the server is done. */
function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  return answerOf(socket)
}

/** The same over a connection that gives the server each piece on its own. */
function exchangePieces({ server }: HttpListener, pieces: readonly string[]): Promise<string> {
  const [client, served] = duplexPair()
  server.emit('connection', Object.assign(served, { remoteAddress: '127.0.0.1' }))
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

test('the request of a client never gets to node:http (P-120)', async () => {
  const { port, seen } = await serve()
  await exchange(port, `${REQUEST}first bytes`)
  expect(seen).toEqual(['early /derp first bytes'])
})

test('where DERP is off it gets to node:http as if nobody had looked', async () => {
  const { port, seen } = await serve(false)
  await exchange(port, REQUEST.replace('Connection: Upgrade', 'Connection: close, Upgrade'))
  expect(seen).toEqual(['http /derp'])
})

test.each([
  ['in one piece', ['GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n']],
  ['in pieces', ['G', 'ET /x HTTP/1.1\r\nHo', 'st: a\r\nConnection: close\r\n', '\r\n']],
])('another request, %s, is answered by node:http', async (_, pieces) => {
  const { listener, seen } = await serve()
  expect(await exchangePieces(listener, pieces)).toMatch(/^HTTP\/1.1 200 OK/)
  expect(seen).toEqual(['http /x'])
})

test('the request of a client that comes in pieces is for node:http', async () => {
  const { listener, seen } = await serve()
  await exchangePieces(listener, [REQUEST.slice(0, 9), REQUEST.slice(9)])
  expect(seen).toEqual(['upgrade /derp '])
})

test('a client that says nothing and ends is ended', async () => {
  const { port, seen } = await serve()
  const socket = connect(port, '127.0.0.1')
  socket.end()
  await new Promise(resolve => socket.resume().on('close', resolve))
  expect(seen).toEqual([])
})

test('node:http reads the same of what is taken early (P-120)', async () => {
  const text = REQUEST.replace('\r\n\r\n', '\r\nX-One:  two  three\r\nDerp-Fast-Start: 1\r\n\r\n').replace(
    '  two',
    ' two',
  )
  const early = new UpgradeHeadReader().read(Buffer.from(text), {} as Socket)?.request
  const server = createServer()
  const told = new Promise<IncomingMessage>(resolve => {
    server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
      resolve(request)
      socket.end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise(resolve => server.close(resolve)))
  await exchange((server.address() as AddressInfo).port, text)
  const request = await told
  expect(early?.headers).toEqual({ ...request.headers })
  expect(early?.headersDistinct).toEqual({ ...request.headersDistinct })
  expect([early?.method, early?.url]).toEqual([request.method, request.url])
})

test('a listener takes clients early, and only where there is a relay (P-120)', async () => {
  const taken: unknown[] = []
  for (const derp of [true, false]) {
    const listener = createHttpListener({
      routes: createRoutes({ derp }),
      upgrade: (request, socket) => {
        taken.push(request instanceof IncomingMessage)
        socket.end('bye')
      },
      acceptTimeoutMs: 10_000,
    })
    const { port } = await listener.listen(0, '127.0.0.1')
    cleanups.push(() => listener.close())
    const answer = await exchange(port, REQUEST.replace('Host: a\r\n', 'Host: a\r\nX-A: b\r\n'))
    expect(answer).toMatch(derp ? /^bye$/ : /^HTTP\/1.1 404 /)
  }
  expect(taken).toEqual([false])
})
