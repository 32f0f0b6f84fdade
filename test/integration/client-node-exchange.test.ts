import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { UpgradeResponse } from '../../src/client/dial/upgrade-response.ts'
import { type Exchange, exchange } from '../../src/client/node/node-exchange.ts'
import { decodeUtf8, encodeUtf8 } from '../../src/lib/bytes.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { settle, until } from '../support/settle.ts'
import { startTcpServer } from '../support/socket-server.ts'

const NEVER = new AbortController().signal

const planOf = (plan: Partial<Exchange> = {}): Exchange => ({
  request: encodeUtf8('request'),
  answer: new UpgradeResponse(),
  clock: new FakeClock(),
  signal: NEVER,
  ...plan,
})

async function connectedTo(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

test('exchange returns the bytes after the response; the next reader gets the rest (P-121)', async () => {
  await using server = await startTcpServer(socket => {
    socket.once('data', request => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\nfirst')
      socket.once('data', () => socket.end(`then ${request.toString()}`))
    })
  })
  const socket = await connectedTo(server.port)
  expect(decodeUtf8(await exchange(socket, planOf()))).toBe('first')
  socket.write('more')
  let rest = ''
  for await (const chunk of socket) rest += chunk
  expect(rest).toBe('then request')
})

test('exchange fails on a closed socket', async () => {
  await using server = await startTcpServer(socket => void socket.resume())
  const socket = await connectedTo(server.port)
  socket.destroy()
  await once(socket, 'close')
  await expect(exchange(socket, planOf())).rejects.toMatchObject({
    code: 'ERR_DERP_CONN_CLOSED',
    message: 'read upgrade response: connection closed without a response',
  })
})

test('exchange destroys the socket when aborted', async () => {
  await using server = await startTcpServer(socket => void socket.resume())
  for (const signal of [AbortSignal.abort(), AbortSignal.timeout(1)]) {
    const socket = await connectedTo(server.port)
    await expect(exchange(socket, planOf({ signal }))).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
    expect(socket.destroyed).toBe(true)
    expect(socket.listenerCount('readable')).toBe(0)
  }
})

test('exchange waits 1 s for the body of a refusal, then reports what has arrived (P-213)', async () => {
  await using server = await startTcpServer(socket => {
    socket.once('data', () => socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\ngo aw'))
  })
  const clock = new FakeClock()
  const socket = await connectedTo(server.port)
  const refused = exchange(socket, planOf({ clock }))
  refused.catch(() => {})
  await until(() => clock.pendingTimers === 1, 'the refusal has arrived')
  clock.advance(999)
  await settle()
  expect(socket.destroyed).toBe(false)
  clock.advance(1)
  await expect(refused).rejects.toMatchObject({ code: 'ERR_DERP_UPGRADE_REFUSED', status: 403, excerpt: 'go aw' })
  expect(socket.destroyed).toBe(true)
  expect(clock.pendingTimers).toBe(0)
})
