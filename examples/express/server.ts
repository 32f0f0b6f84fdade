/** An Express app with a page and a WebSocket of its own, and a DERP relay under /derp, all on one port. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRelay, NodePrivateKey } from 'derphttp/server'
import express from 'express'
import { WebSocketServer } from 'ws'

const port = Number(process.env['PORT'] ?? 3000)
// Anyone may connect. Option `admission` decides per key and address.
const relay = createRelay({ privateKey: NodePrivateKey.generate() })

const app = express()
app.get('/', (_request, response) => void response.send('A relay is at /derp, an echo at /echo.\n'))
app.use('/derp', relay.handleRequest)

const echo = new WebSocketServer({ noServer: true })
echo.on('connection', socket => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  socket.on('error', error => console.error(`echo: ${error.message}`))
})

const server = createServer(app)
// The relay takes the upgrades for /derp and leaves all others to the second listener.
server.on('upgrade', relay.handleUpgrade)
server.on('upgrade', (request, socket, head) => {
  const [path] = (request.url ?? '').split('?')
  if (path === '/echo') echo.handleUpgrade(request, socket, head, each => echo.emit('connection', each, request))
  else if (path !== '/derp') socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
})
server.on('error', error => {
  console.error(`listen on port ${port}: ${error.message}`)
  process.exitCode = 1
  relay.close()
})
server.listen(port, () => console.log(`listening on http://localhost:${(server.address() as AddressInfo).port}/`))

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
