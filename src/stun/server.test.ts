import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { until } from '../../test/support/settle.ts'
import { stunBinding } from './client.ts'
import { createTxId, encodeBindingRequest, parseBindingResponse } from './message.ts'
import { createStunServer, type StunServer, type StunServerOptions } from './server.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function startServer(options: StunServerOptions): StunServer {
  const server = createStunServer({ port: 0, ...options })
  cleanups.push(() => server.close())
  return server
}

/** A client socket, to see the raw bytes. */
async function connectTo(port: number, address: string): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  cleanups.push(() => void socket.close())
  socket.connect(port, address)
  await once(socket, 'connect')
  return socket
}

async function ask(socket: Socket): Promise<Uint8Array> {
  const answers: Uint8Array[] = []
  socket.once('message', answer => answers.push(answer))
  socket.send(encodeBindingRequest(createTxId()))
  await until(() => answers.length > 0, 'the response has come')
  return answers[0] as Uint8Array
}

test.runIf(process.platform === 'linux')(
  'createStunServer on all addresses responds from the requested one, and follows address changes (P-188)',
  async () => {
    const clock = new FakeClock()
    let addresses = ['127.0.0.2', '127.0.0.3', '::1']
    const server = startServer({ clock, readAddresses: () => addresses })
    const { port } = await server.listen()
    // All of 127.0.0.0/8 is this machine; a connected socket takes no answer from another address.
    for (const address of addresses) expect((await ask(await connectTo(port, address))).length).toBe(44)
    expect((await ask(await connectTo(port, '127.0.0.1'))).length).toBe(44)

    const late = await connectTo(port, '127.0.0.4')
    const answered = once(late, 'message').then(() => true)
    late.send(encodeBindingRequest(createTxId()))
    // It is counted, so its answer has left, from another address.
    await expect.poll(() => server.counters.success).toBe(5)
    addresses = ['127.0.0.3', '127.0.0.4']
    clock.advance(2_000)
    const another = setInterval(() => late.send(encodeBindingRequest(createTxId())), 20)
    expect(await answered).toBe(true)
    clearInterval(another)
    await server.close()
    expect(clock.pendingTimers).toBe(0)
  },
)

test('createStunServer on all addresses detects another program on its port, which its own sockets share (P-188)', async () => {
  const server = startServer({ readAddresses: () => ['127.0.0.1', '127.0.0.2'] })
  const { port } = await server.listen()
  await expect(startServer({ port }).listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await expect(startServer({ port, host: '127.0.0.1' }).listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('createStunServer on an IPv4 address answers with an IPv4 address (P-181)', async () => {
  const server = startServer({ host: '127.0.0.1' })
  const { address, port } = await server.listen()
  expect(address).toBe('127.0.0.1')
  const client = await connectTo(port, '127.0.0.1')
  const answer = await ask(client)
  expect(answer.length).toBe(32)
  expect(parseBindingResponse(answer)).toMatchObject({
    address: { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: client.address().port },
  })
  expect(server.counters).toMatchObject({ success: 1, ipv4: 1, ipv6: 0 })
})

test.each([[undefined], [''], ['0.0.0.0'], ['::']])(
  'createStunServer on host %j serves both families on one socket and answers IPv4 in mapped form (P-181)',
  async host => {
    const server = startServer({ host })
    const { address, port } = await server.listen()
    expect(address).toBe('::')
    const answer = await ask(await connectTo(port, '127.0.0.1'))
    expect(answer.length).toBe(44)
    expect(parseBindingResponse(answer)).toMatchObject({ address: { family: 4, bytes: Uint8Array.of(127, 0, 0, 1) } })
    await ask(await connectTo(port, '::1'))
    expect(server.counters).toMatchObject({ success: 2, ipv4: 1, ipv6: 1 })
  },
)

test('createStunServer binds the first IPv4 address of a name', async () => {
  const server = startServer({ host: 'localhost' })
  expect((await server.listen()).address).toBe('127.0.0.1')
})

test('createStunServer answers a request after garbage, and counts both (P-180, P-183)', async () => {
  const server = startServer({ host: '127.0.0.1' })
  const { port } = await server.listen()
  const client = await connectTo(port, '127.0.0.1')
  client.send('garbage')
  client.send(encodeBindingRequest(createTxId()).subarray(0, 20))
  await ask(client)
  expect(server.counters).toEqual({ success: 1, notStun: 2, writeError: 0, readError: 0, ipv4: 1, ipv6: 0 })
})

test('createStunServer answers any client if enabled, on a dual-stack socket with its IPv4 address (P-184)', async () => {
  const server = startServer({ plain: true, sourceLimit: { perSecond: 1, burst: 5 } })
  const { port } = await server.listen()
  const client = await connectTo(port, '127.0.0.1')
  const answered = once(client, 'message')
  client.send(encodeBindingRequest(createTxId()).fill(0, 2, 4).subarray(0, 20))
  const [answer] = (await answered) as [Uint8Array]
  expect(answer.length).toBe(32)
  expect(parseBindingResponse(answer)).toMatchObject({ address: { family: 4, port: client.address().port } })
  expect(server.requests.plain).toEqual({ ipv4: 1, ipv6: 0 })
})

test('createStunServer rejects an invalid limit (P-186)', () => {
  expect(() => createStunServer({ sourceLimit: { perSecond: -1, burst: 5 } })).toThrow(RangeError)
})

test('createStunServer rejects listen on a port in use, and frees its own on close', async () => {
  const first = startServer({ host: '127.0.0.1' })
  const { port } = await first.listen()
  const second = startServer({ host: '127.0.0.1', port })
  await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await first.close()
  const third = startServer({ host: '127.0.0.1', port })
  expect((await third.listen()).port).toBe(port)
})

test('createStunServer listens only once, and never after close', async () => {
  const server = startServer({ host: '127.0.0.1' })
  await server.listen()
  await expect(server.listen()).rejects.toMatchObject({ code: 'ERR_DERP_STUN_CLOSED' })
  await Promise.all([server.close(), server.close()])
  const unused = startServer({})
  await unused.close()
  await expect(unused.listen()).rejects.toMatchObject({ code: 'ERR_DERP_STUN_CLOSED' })
})

test('createStunServer closed during the name lookup rejects listen and leaves no socket', async () => {
  const server = startServer({ host: 'localhost' })
  const listening = server.listen()
  const closing = server.close()
  await expect(listening).rejects.toMatchObject({ code: 'ERR_DERP_STUN_CLOSED' })
  await closing
  await expect.poll(() => process.getActiveResourcesInfo()).not.toContain('UDPWrap')
})

test('stunBinding reads its own address from createStunServer over both families (P-181)', async () => {
  const server = startServer({})
  const { port } = await server.listen()
  const binding4 = await stunBinding({ host: '127.0.0.1', port })
  const binding6 = await stunBinding({ host: '::1', port })
  expect(binding4.address).toBe('127.0.0.1')
  expect(binding6.address).toBe('::1')
  expect(binding4.port).toBeGreaterThan(0)
  expect(server.counters.success).toBe(2)
})
