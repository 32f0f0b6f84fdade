/** A Fastify app with a page and a WebSocket of its own, and a DERP relay under /derp, all on one port. */

import type { AddressInfo } from 'node:net'
import { createRelay, NodePrivateKey } from 'derphttp/server'
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { WebSocketServer } from 'ws'

const port = Number(process.env['PORT'] ?? 3000)
// Anyone may connect. Option `admission` decides per key and address.
const relay = createRelay({ privateKey: NodePrivateKey.generate() })

const app = fastify()
app.get('/', (_request, reply) => reply.send('A relay is at /derp, an echo at /echo.\n'))
const serveRelay = (request: FastifyRequest, reply: FastifyReply) => {
  // The relay writes the reply itself.
  reply.hijack()
  relay.handleRequest(request.raw, reply.raw)
}
app.all('/derp', serveRelay)
app.all('/derp/*', serveRelay)

const echo = new WebSocketServer({ noServer: true })
echo.on('connection', socket => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  socket.on('error', error => console.error(`echo: ${error.message}`))
})

// The relay takes the upgrades for /derp and leaves all others to the second listener.
app.server.on('upgrade', relay.handleUpgrade)
app.server.on('upgrade', (request, socket, head) => {
  const [path] = (request.url ?? '').split('?')
  if (path === '/echo') echo.handleUpgrade(request, socket, head, each => echo.emit('connection', each, request))
  else if (path !== '/derp') socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
})

// Fastify closes the server; these end what has left it by an upgrade, or it would wait for them.
app.addHook('preClose', async () => {
  for (const socket of echo.clients) socket.close(1001, 'going down')
  // Clients of the relay are told to come back, spread over a second.
  await relay.drain({ spreadMs: 1_000, tryForMs: 30_000, deadlineMs: 5_000 })
  relay.close()
})

/** Ends when nobody is connected any more. */
async function stop(): Promise<void> {
  try {
    await app.close()
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  }
}

// A second Ctrl-C ends it at once.
process.once('SIGINT', () => void stop())
process.once('SIGTERM', () => void stop())

try {
  await app.listen({ port })
  console.log(`listening on http://localhost:${(app.server.address() as AddressInfo).port}/`)
} catch (error) {
  console.error(`listen on port ${port}: ${(error as Error).message}`)
  process.exitCode = 1
  await stop()
}
