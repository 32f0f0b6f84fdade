/** Orderly close over sockets: everything written arrives, whatever the peer still sends. */

import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { encodeServerToClient } from '../../src/protocol/encode.ts'
import { LINGER_MS, NodeConn } from '../../src/transport/node-conn.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { startTcpServer } from '../support/socket-server.ts'
import { MessageClient } from '../support/web-socket.ts'

/** More than the receive window of a peer that does not read. */
const LAST_WORDS = new Uint8Array(512 << 10)

/** A connection whose client has sent unread data, and does not read itself. */
async function connected(clock: FakeClock) {
  const accepted = Promise.withResolvers<Socket>()
  const server = await startTcpServer(socket => accepted.resolve(socket))
  const client = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
  client.pause()
  client.write(new Uint8Array(100_000))
  const conn = new NodeConn(await accepted.promise, undefined, { clock })
  const closed = new Promise<Error | undefined>(resolve => conn.open({ onData: () => {}, onClose: resolve }))
  conn.pause()
  return { server, client, conn, closed }
}

test('NodeConn.end lets the peer read everything written, even if the peer has sent more (P-093)', async () => {
  const { server, client, conn, closed } = await connected(new FakeClock())
  await new Promise<void>((resolve, reject) =>
    conn.write([LAST_WORDS], error => (error === undefined ? resolve() : reject(error))),
  )
  conn.end()
  let bytes = 0
  client.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length
    client.write(new Uint8Array(1_000))
  })
  client.resume()
  const end = await new Promise(resolve => client.once('end', () => resolve('end')).once('error', resolve))
  expect([end, bytes]).toEqual(['end', LAST_WORDS.length])
  client.end()
  expect(await closed).toBeUndefined()
  await server[Symbol.asyncDispose]()
})

test('NodeConn.end waits for the peer for a limited time', async () => {
  const clock = new FakeClock()
  const { server, client, conn, closed } = await connected(clock)
  conn.end()
  clock.advance(LINGER_MS - 1)
  expect(clock.pendingTimers).toBe(1)
  clock.advance(1)
  await closed
  expect(clock.pendingTimers).toBe(0)
  client.destroy()
  await server[Symbol.asyncDispose]()
})

test('drain closes a WebSocket in order, after everything its client has sent (P-151, P-174)', async () => {
  await using server = await ListeningRelay.start()
  const client = await new MessageClient(`ws://127.0.0.1:${server.port}/derp`).opened()
  await client.login()
  // The reply to the close frame arrives after these ignored messages.
  for (let n = 0; n < 50; n++) client.socket.send(new Uint8Array(30_000))
  expect(await server.relay.drain({ spreadMs: 0, tryForMs: 7 })).toEqual({ told: 1, moved: 1, cut: 0 })
  expect(await client.closed).toEqual({ code: 1000, reason: '' })
  const told = encodeServerToClient({ type: 'serverRestarting', reconnectInMs: 0, tryForMs: 7 })
  expect(client.bytes.subarray(-told.length)).toEqual(Buffer.from(told))
})
