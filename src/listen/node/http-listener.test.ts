import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { exchange } from '../../../test/support/raw-http.ts'
import type { HttpAnswer } from '../http-service.ts'
import { createHttpListener, type HttpListener, type HttpListenerOptions, tcpOptions } from './http-listener.ts'

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'

const HELLO: HttpAnswer = { status: 200, body: 'hello' }
const DERP: HttpAnswer = { protocol: 'derp', responseHead: 'HTTP/1.1 101\r\n\r\n', remote: undefined, accept: () => {} }

function setUp(options: Partial<HttpListenerOptions> = {}) {
  const clock = new FakeClock({ turns: 'manual' })
  const routes = { answer: ({ target }: { target: string }) => (target === '/derp' ? DERP : HELLO) }
  const listener = createHttpListener({ routes, acceptTimeoutMs: 10_000, clock, ...options })
  const sockets: Socket[] = []
  listener.server.on('connection', socket => sockets.push(socket))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await listener.close()
  })
  return { clock, listener }
}

/** A client, once it was accepted, and its socket at the listener. */
async function dial({ server }: HttpListener, port: number): Promise<readonly [client: Socket, served: Socket]> {
  const accepted = once(server, 'connection')
  const client = connect(port, '127.0.0.1')
  onTestFinished(() => void client.destroy())
  const [served] = await accepted
  return [client, served]
}

test('accepted sockets send at once, and probe idle clients after the set time (P-106)', () => {
  expect(tcpOptions({})).toEqual({ noDelay: true })
  expect(tcpOptions({ tcpKeepAliveMs: 600_000 })).toEqual({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 600_000,
  })
})

test('an HTTP client that has sent its end can still be written to', async () => {
  const { listener } = setUp()
  const { port } = await listener.listen(0, '127.0.0.1')
  const [client, served] = await dial(listener, port)
  client.end()
  await once(served, 'end')
  expect(served.allowHalfOpen).toBe(true)
})

test('listen binds one address, or all of them without a host', async () => {
  expect((await setUp().listener.listen(0, '127.0.0.1')).address).toBe('127.0.0.1')
  expect(['::', '0.0.0.0']).toContain((await setUp().listener.listen(0)).address)
})

test('listen rejects with the error of the system', async () => {
  const { port } = await setUp().listener.listen(0, '127.0.0.1')
  await expect(setUp().listener.listen(port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('failing to accept a connection ends nothing, even without limits (P-109)', async () => {
  const { listener } = setUp()
  await listener.listen(0, '127.0.0.1')
  expect(() => listener.server.emit('error', new Error('accept: too many open files'))).not.toThrow()
  expect(listener.server.listening).toBe(true)
})

test('a slow connection is closed, whether or not anyone wants to know (P-035)', async () => {
  const { clock, listener } = setUp()
  const { port } = await listener.listen(0, '127.0.0.1')
  const [client] = await dial(listener, port)
  const closed = once(client.resume(), 'close')
  clock.advance(10_000)
  await closed
})

test('stopListening closes the port after a turn that brings no connection (P-177)', async () => {
  const { clock, listener } = setUp()
  const { port } = await listener.listen(0, '127.0.0.1')
  listener.stopListening()
  clock.runTurn()
  await dial(listener, port)
  clock.runTurn()
  expect(listener.server.listening).toBe(true)
  clock.runTurn()
  expect(listener.server.listening).toBe(false)
})

test('stopListening ends connections that wait for another request', async () => {
  const { listener } = setUp()
  const { port } = await listener.listen(0, '127.0.0.1')
  const [client, served] = await dial(listener, port)
  await exchange(client, REQUEST)
  const ended = once(client.resume(), 'end')
  listener.stopListening()
  // At once: left alone, it would end too, some seconds later.
  expect(served.destroyed).toBe(true)
  await ended
})

test('stopListening does nothing before listen', async () => {
  const { clock, listener } = setUp()
  listener.stopListening()
  await listener.listen(0, '127.0.0.1')
  clock.runTurn()
  clock.runTurn()
  expect(listener.server.listening).toBe(true)
})

test('close ends connections that have made no request, and stops listening', async () => {
  const { listener } = setUp()
  const { port } = await listener.listen(0, '127.0.0.1')
  const [client, served] = await dial(listener, port)
  const closed = once(client.resume(), 'close')
  const closing = listener.close()
  expect(served.destroyed).toBe(true)
  await closing
  await closed
  expect(listener.server.listening).toBe(false)
})

test('close ends connections that have made a request', async () => {
  const { listener } = setUp()
  const { port } = await listener.listen(0, '127.0.0.1')
  const [client, served] = await dial(listener, port)
  await exchange(client, REQUEST)
  const closing = listener.close()
  expect(served.destroyed).toBe(true)
  await closing
})

test('after stopListening, close does not wait for DERP clients', async () => {
  const { clock, listener } = setUp()
  const { port } = await listener.listen(0, '127.0.0.1')
  const [client, served] = await dial(listener, port)
  await exchange(client, UPGRADE)
  listener.stopListening()
  clock.runTurn()
  clock.runTurn()
  await listener.close()
  expect([served.destroyed, listener.server.listening]).toEqual([false, false])
})
