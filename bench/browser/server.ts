/** A relay, or a plain echo over WebSocket, in a process of its own that tells how much processor it has used. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { ListeningRelay } from '../../test/support/listening-relay.ts'

async function start(): Promise<string> {
  if (process.argv[2] === 'relay') return `http://127.0.0.1:${(await ListeningRelay.start()).port}/derp`
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  server.on('connection', socket => socket.on('message', data => socket.send(data)))
  await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

process.send?.(await start())
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.((user + system) / 1e6)
})
