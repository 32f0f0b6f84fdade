import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type HttpBindings, serve } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import { afterEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { Client, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { handler } from '../../src/entries/server.ts'
import { createRelay, type Relay } from '../../src/relay.ts'
import { request } from '../support/raw-http.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function startRelay(): Relay {
  const relay = createRelay({ privateKey: NodePrivateKey.generate() })
  cleanups.push(() => relay.close())
  return relay
}

/** Listens on a free port; resolves to its number. */
async function listening(server: Server): Promise<number> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

/** A client can log in, and the pages are a relay's. */
async function expectRelayAt(port: number): Promise<void> {
  const client = new Client(NodePrivateKey.generate(), `http://127.0.0.1:${port}/derp`)
  expect(await client.recv()).toMatchObject({ type: 'serverInfo' })
  await client.close()
  const [derp, probe] = [await request(port, 'GET /derp'), await request(port, 'GET /derp/probe')]
  expect([derp.status, String(derp.body)]).toEqual([426, 'DERP requires connection upgrade\n'])
  expect([probe.status, probe.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
}

test.each([
  ['createRelay', () => startRelay().handleRequest],
  ['handler', () => handler(startRelay().core).request],
] as const)('Express serves the pages of %s below their mount path (P-120, P-160)', async (_, make) => {
  const app = express()
  app.use('/derp', make())
  app.get('/own', (_request, response) => void response.send('own'))
  const port = await listening(createServer(app))
  const [derp, probe] = [await request(port, 'GET /derp'), await request(port, 'GET /derp/probe?x')]
  expect([derp.status, probe.status]).toEqual([426, 200])
  expect(String((await request(port, 'GET /own')).body)).toBe('own')
})

test('a relay can be mounted in Express (P-120, P-160)', async () => {
  const relay = startRelay()
  const app = express()
  app.use('/derp', relay.handleRequest)
  const server = createServer(app)
  server.on('upgrade', relay.handleUpgrade)
  await expectRelayAt(await listening(server))
})

test('a relay can be mounted in Fastify (P-120, P-160)', async () => {
  const relay = startRelay()
  const app = fastify()
  const serveRelay = (asked: { raw: Parameters<Relay['handleRequest']>[0] }, reply: FastifyReplyLike) => {
    reply.hijack()
    relay.handleRequest(asked.raw, reply.raw)
  }
  app.all('/derp', serveRelay)
  app.all('/derp/*', serveRelay)
  app.server.on('upgrade', relay.handleUpgrade)
  await app.listen({ port: 0, host: '127.0.0.1' })
  await expectRelayAt(await listening(app.server))
})

interface FastifyReplyLike {
  readonly raw: Parameters<Relay['handleRequest']>[1]
  hijack(): unknown
}

test('a relay can be mounted in Hono (P-120, P-160)', async () => {
  const relay = startRelay()
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.all('/derp/*', ({ env }) => {
    relay.handleRequest(env.incoming, env.outgoing)
    return RESPONSE_ALREADY_SENT
  })
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  server.on('upgrade', relay.handleUpgrade)
  await once(server, 'listening')
  await expectRelayAt(await listening(server))
})

test.each([
  ['createRelay', () => startRelay().handleUpgrade],
  ['handler', () => handler(startRelay().core).upgrade],
] as const)('%s leaves the WebSockets of other paths to the program (P-150)', async (_, make) => {
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer()
  server.on('upgrade', make())
  server.on('upgrade', (asked, socket, head) => {
    if (asked.url !== '/chat') return
    sockets.handleUpgrade(asked, socket, head, webSocket => webSocket.on('message', data => webSocket.send(data)))
  })
  // As Fastify's for the second address of localhost: it has no listeners of the program.
  const second = createServer()
  second.on('upgrade', (...upgrade) => server.emit('upgrade', ...upgrade))
  for (const each of [server, second]) {
    const port = await listening(each)
    const chat = new WebSocket(`ws://127.0.0.1:${port}/chat`)
    await once(chat, 'open')
    // Whatever else answers the request comes before the echo.
    chat.send('still there')
    const [message] = (await once(chat, 'message')) as [Buffer]
    expect(String(message)).toBe('still there')
    chat.terminate()
    const client = new Client(NodePrivateKey.generate(), `http://127.0.0.1:${port}/derp`)
    expect(await client.recv()).toMatchObject({ type: 'serverInfo' })
    await client.close()
  }
})

test('handler serves any path it is mounted at (P-120)', async () => {
  const derp = handler(startRelay().core)
  const server = createServer(derp.request)
  server.on('upgrade', derp.upgrade)
  const client = new Client(NodePrivateKey.generate(), `http://127.0.0.1:${await listening(server)}/own/path`)
  expect(await client.recv()).toMatchObject({ type: 'serverInfo' })
  await client.close()
})
