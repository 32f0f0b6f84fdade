import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeClientToServer } from '../../src/protocol/encode.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { RawClient } from '../support/raw-client.ts'
import { request } from '../support/raw-http.ts'
import { until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'
import { GREETING_LENGTH, MessageClient, openWebSocket } from '../support/web-socket.ts'

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: derp',
] as const

let relay: ListeningRelay
let url: string

beforeAll(async () => {
  relay = await ListeningRelay.start()
  url = `ws://127.0.0.1:${relay.port}/derp`
})
afterAll(() => relay[Symbol.asyncDispose]())

/** The headers of {@link HANDSHAKE} without some, and with others. */
function handshake(without: readonly string[], more: readonly string[] = []): string[] {
  return [...HANDSHAKE.filter(line => !without.some(name => line.startsWith(`${name}:`))), ...more]
}

test.for([
  ['as it is', []],
  ['from any origin', ['Origin: https://elsewhere.example']],
  ['with compression offered', ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits']],
  ['with fast start', ['Derp-Fast-Start: 1']],
] as const)('WebSocket upgrade %s is accepted with only the subprotocol (P-150, P-153)', async ([, headers]) => {
  const before = relay.relay.http.websocketAccepts
  const response = await request(relay.port, 'GET /derp?x', [...HANDSHAKE, ...headers])
  expect(response.status).toBe(101)
  expect(Object.fromEntries(response.headers)).toEqual({
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'sec-websocket-protocol': 'derp',
  })
  expect(relay.relay.http.websocketAccepts).toBe(before + 1)
})

test.for([
  ['GET /derp', handshake(['Connection']), 426],
  ['GET /derp', handshake(['Connection'], ['Connection: keep-alive']), 426],
  ['POST /derp', handshake([]), 405],
  ['HEAD /derp', handshake([]), 405],
  ['GET /derp', handshake(['Sec-WebSocket-Version']), 400],
  ['GET /derp', handshake(['Sec-WebSocket-Version'], ['Sec-WebSocket-Version: 8']), 400],
  ['GET /derp', handshake(['Sec-WebSocket-Key']), 400],
  ['GET /derp', handshake(['Sec-WebSocket-Key'], ['Sec-WebSocket-Key: short']), 400],
  ['GET /derp', handshake([], ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']), 400],
  ['GET //derp', handshake([]), 307],
  ['GET /x', handshake([]), 200],
] as const)('WebSocket upgrade by %s with %j is answered with %i (P-150)', async ([line, headers, status]) => {
  const before = relay.relay.http.websocketAccepts
  const response = await request(relay.port, line, headers)
  expect(response.status).toBe(status)
  if (line !== 'HEAD /derp' && status === 400 && !headers.includes('Sec-WebSocket-Version: 13')) {
    expect(response.headers.get('sec-websocket-version')).toBe('13')
  }
  expect(relay.relay.http.websocketAccepts).toBe(before)
})

test.for(['xderpx', 'Derp, derpx'])(
  'a subprotocol %s that only contains derp is closed with 1008 (P-150)',
  async offered => {
    const headers = handshake(['Sec-WebSocket-Protocol'], [`Sec-WebSocket-Protocol: ${offered}`])
    const before = relay.relay.http.websocketAccepts
    const socket = connect(relay.port, '127.0.0.1')
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
    })
    socket.write(`GET /derp HTTP/1.1\r\nHost: h\r\n${headers.join('\r\n')}\r\n\r\n`)
    const body = () => received.subarray(received.indexOf('\r\n\r\n') + 4)
    await until(() => received.includes('\r\n\r\n') && body().length >= 4, 'a close frame has arrived')
    expect(received.toString('latin1', 0, 12)).toBe('HTTP/1.1 101')
    expect([body()[0], body().readUInt16BE(2)]).toEqual([0x88, 1008])
    expect(relay.relay.http.websocketAccepts).toBe(before)
    socket.destroy()
  },
)

test('clients over WebSocket and plain sockets exchange payloads of every size (P-150, P-151, P-152)', async () => {
  const first = await RawClient.login(await openWebSocket(url))
  const second = await RawClient.login(await openWebSocket(url))
  for (const size of [0, 1, 1400, 32_731, 32_732, 65_535, 65_536]) {
    const data = Uint8Array.from({ length: size }, (_, at) => at * 7)
    first.packet(second.publicKey, data)
    expect(await second.messageOf('receivedPacket')).toEqual({ type: 'receivedPacket', source: first.publicKey, data })
  }
  first.close()
  second.close()
  await until(() => relay.relay.core.counters.currentConnections === 0, 'both are gone')
})

test('the relay knows the address of a client over WebSocket (P-071)', async () => {
  const client = await RawClient.login(await openWebSocket(url))
  const [session] = relay.relay.core.sessions
  expect(session?.remote).toEqual({ address: '127.0.0.1', port: expect.any(Number) })
  client.close()
  await until(() => relay.relay.core.sessions.size === 0, 'the client is gone')
})

test('a frame may span messages, and a message may contain several frames and parts of frames (P-151)', async () => {
  const client = await new MessageClient(url).opened()
  const { hello } = await client.hello()
  const ping = encodeClientToServer({ type: 'ping', payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) })
  const stream = Buffer.concat([hello, ping, new Uint8Array([99, 0, 0, 0, 3, 1, 2, 3]), ping])
  for (const byte of stream.subarray(0, 40)) client.socket.send(Buffer.of(byte))
  client.socket.send(Buffer.alloc(0))
  client.socket.send(stream.subarray(40, stream.length - 1))
  // One message in three fragments.
  client.socket.send(stream.subarray(stream.length - 1), { fin: false })
  client.socket.send(ping.subarray(0, 3), { fin: false })
  client.socket.send(ping.subarray(3), { fin: true })
  const pongs = () => client.bytes.toString('hex').split('130000000801020304050607').length - 1
  await until(() => pongs() >= 1, 'a pong has arrived')
  expect(relay.relay.core.counters.gotPing).toBeGreaterThanOrEqual(1)
  await until(() => relay.relay.core.counters.gotPing === 3, 'all three pings were read')
  client.socket.close()
  await client.closed
})

test('frames of one turn are sent in one message of at most 32 KiB (P-151, P-152)', async () => {
  const receiver = await new MessageClient(url).opened()
  const destination = await receiver.login()
  const sender = await RawClient.login(await openWebSocket(url))
  const packet = encodeClientToServer({ type: 'sendPacket', destination, data: new Uint8Array(1000) })
  const expected = receiver.bytes.length + 30 * packet.length
  sender.sendBytes(Buffer.concat(Array.from({ length: 30 }, () => packet)))
  await until(() => receiver.bytes.length === expected, 'all packets have arrived')
  sender.packet(destination, new Uint8Array(65_536))
  await until(() => receiver.bytes.length === expected + 5 + 32 + 65_536, 'the large packet has arrived')
  const sizes = receiver.messages.slice(2).map(message => message.length)
  expect(Math.max(...sizes)).toBe(32_768)
  expect(sizes.length).toBeLessThan(10)
  receiver.socket.close()
  sender.close()
  await until(() => relay.relay.core.sessions.size === 0, 'both are gone')
})

test.for([
  ['a text message', (client: MessageClient) => client.socket.send('text'), 1003],
  ['an empty text message', (client: MessageClient) => client.socket.send(''), 1003],
  ['a message above 256 KiB', (client: MessageClient) => client.socket.send(Buffer.alloc((256 << 10) + 1)), 1009],
  [
    'a message of more than 8 fragments',
    (client: MessageClient) => {
      for (let n = 0; n < 9; n++) client.socket.send(Buffer.alloc(1), { fin: false })
    },
    1008,
  ],
  ['bytes that are no login', (client: MessageClient) => client.socket.send(Buffer.alloc(40_000)), 1000],
] as const)('%s closes the connection with the correct code (P-151, P-152)', async ([, misbehave, code]) => {
  const client = await new MessageClient(url).opened()
  misbehave(client)
  expect((await client.closed).code).toBe(code)
  await until(() => relay.relay.core.pendingLogins === 0, 'no login is pending')
})

test('a message of 256 KiB is accepted if it contains valid frames (P-152)', async () => {
  const client = await RawClient.login(await openWebSocket(url))
  const socket = await new MessageClient(url).opened()
  await socket.login()
  const frame = encodeClientToServer({
    type: 'sendPacket',
    destination: client.publicKey,
    data: new Uint8Array(60_000),
  })
  socket.socket.send(Buffer.concat(Array.from({ length: 4 }, () => frame)))
  for (let packet = 0; packet < 4; packet++) expect((await client.messageOf('receivedPacket')).data.length).toBe(60_000)
  client.close()
  socket.socket.close()
  await until(() => relay.relay.core.sessions.size === 0, 'both are gone')
})

test('a flood of WebSocket pings closes the connection, those of a patient client do not (P-153)', async () => {
  const patient = await new MessageClient(url).opened()
  for (let n = 1; n <= 100; n++) {
    patient.socket.ping(`${n}`)
    await until(() => patient.pongs.length === n, 'the pong has come')
  }
  patient.socket.terminate()
  const hasty = await new MessageClient(url).opened()
  hasty.socket.pause()
  for (let n = 0; n < 2_000; n++) hasty.socket.ping()
  hasty.socket.resume()
  expect((await hasty.closed).code).toBe(1006)
})

test('a WebSocket ping is answered with a WebSocket pong', async () => {
  const client = await new MessageClient(url).opened()
  client.socket.ping('abc')
  await until(() => client.pongs.length > 0, 'a pong has arrived')
  expect(client.pongs).toEqual(['abc'])
  client.socket.close()
  await client.closed
})

test.for([1000, 1001, undefined])('a client that closes with %s ends its session cleanly (P-153)', async code => {
  const { counters } = relay.relay.core
  const failures = { ...counters.failures }
  const client = await new MessageClient(url).opened()
  await client.login()
  client.socket.close(code)
  expect((await client.closed).code).toBe(code ?? 1005)
  await until(() => counters.currentConnections === 0, 'the session has ended')
  expect(counters.failures).toEqual(failures)
})

test('a client whose connection breaks ends its session (P-153)', async () => {
  const { counters } = relay.relay.core
  const client = await new MessageClient(url).opened()
  await client.login()
  const before = counters.failures.ERR_DERP_CONN_CLOSED ?? 0
  client.socket.terminate()
  await until(() => counters.currentConnections === 0, 'the session has ended')
  expect(counters.failures.ERR_DERP_CONN_CLOSED).toBe(before + 1)
})

test('a receiver that does not read is closed by the write timeout, and its sender is unaffected (P-101)', async () => {
  const clock = new FakeClock()
  await using slow = await ListeningRelay.start({ clock })
  const { core } = slow.relay
  const address = `ws://127.0.0.1:${slow.port}/derp`
  const receiver = await new MessageClient(address).opened()
  const destination = await receiver.login()
  receiver.socket.pause()
  const sender = await RawClient.login(await openWebSocket(address))
  while (core.counters.dropped.queue_head.other.packets === 0) {
    for (let packet = 0; packet < 40; packet++) sender.packet(destination, new Uint8Array(60_000))
    await sender.sync()
  }
  clock.advance(2_000)
  await until(() => core.sessions.size === 1, 'the receiver is closed')
  expect(core.counters.writeTimeouts).toBe(1)
  expect(await sender.sync()).toEqual([])
  receiver.socket.terminate()
  sender.close()
})

test('closing the relay closes its WebSockets, even an unresponsive one', async () => {
  const closing = await ListeningRelay.start()
  const address = `ws://127.0.0.1:${closing.port}/derp`
  const answering = await new MessageClient(address).opened()
  const silent = await new MessageClient(address).opened()
  silent.socket.pause()
  await closing[Symbol.asyncDispose]()
  expect((await answering.closed).code).toBe(1000)
  silent.socket.terminate()
})

test('WebSocket works over TLS, and is counted as such (P-150, P-196)', async () => {
  const ca = await TestCa.create()
  const certificate = await ca.issue({ dns: ['localhost'] })
  await using secure = await ListeningRelay.start({ tls: { hostname: 'localhost', certificate } })
  const client = await new MessageClient(`wss://localhost:${secure.port}/derp`, {
    ca: ca.certificate,
    lookup: (_name, options, answer) =>
      answer(null, options.all === true ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4),
  }).opened()
  await until(() => client.bytes.length === GREETING_LENGTH, 'the greeting has arrived')
  expect(secure.relay.http).toMatchObject({ websocketAccepts: 1, tlsActive: { '1.3': 1 } })
  client.socket.close()
  await client.closed
  await until(() => secure.relay.http.tlsActive['1.3'] === 0, 'the request has ended')
})
