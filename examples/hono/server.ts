/** A Hono app with a page and a WebSocket of its own, and a DERP relay under /derp, all on one port. */

import { type HttpBindings, serve, upgradeWebSocket } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { createRelay, NodePrivateKey } from 'derphttp/server'
import { Hono } from 'hono'
import { WebSocketServer } from 'ws'

const port = Number(process.env['PORT'] ?? 3000)
// Anyone may connect. Option `admission` decides per key and address.
const relay = createRelay({ privateKey: NodePrivateKey.generate() })

const app = new Hono<{ Bindings: HttpBindings }>()
app.get('/', context => context.text('A relay is at /derp, an echo at /echo.\n'))
app.get(
  '/echo',
  upgradeWebSocket(() => ({
    onMessage: ({ data }, socket) => socket.send(data as string | ArrayBuffer),
    onError: () => console.error('echo: a connection failed'),
  })),
)
// Also matches /derp itself.
app.all('/derp/*', context => {
  // Hono is asked about WebSockets too. Those of the relay are taken by its own listener, below.
  if (context.req.header('upgrade') !== undefined) return context.notFound()
  relay.handleRequest(context.env.incoming, context.env.outgoing)
  return RESPONSE_ALREADY_SENT
})

const echo = new WebSocketServer({ noServer: true })
const server = serve({ fetch: app.fetch, port, websocket: { server: echo } }, address =>
  console.log(`listening on http://localhost:${address.port}/`),
)
server.on('upgrade', relay.handleUpgrade)
server.on('upgrade', (request, socket) => {
  const [path] = (request.url ?? '').split('?')
  if (path !== '/echo' && path !== '/derp') socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
})
server.on('error', error => {
  console.error(`listen on port ${port}: ${error.message}`)
  process.exitCode = 1
  relay.close()
})

/** Ends when nobody is connected any more: relay clients are told to come back, spread over a second. */
async function stop(): Promise<void> {
  server.close()
  for (const socket of echo.clients) socket.close(1001, 'going down')
  await relay.drain({ spreadMs: 1_000, tryForMs: 30_000, deadlineMs: 5_000 })
  relay.close()
}

// A second Ctrl-C ends it at once.
process.once('SIGINT', () => void stop())
process.once('SIGTERM', () => void stop())
