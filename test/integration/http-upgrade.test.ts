import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange, rawRequest, request } from '../support/raw-http.ts'
import { until } from '../support/settle.ts'
import { listenOnLoopback } from '../support/socket-server.ts'

let relay: ListeningRelay

beforeAll(async () => {
  relay = await ListeningRelay.start()
})
afterAll(() => relay[Symbol.asyncDispose]())

const UPGRADE = ['Connection: Upgrade', 'Upgrade: DERP'] as const
const GREETING = Buffer.from('0100000028', 'hex')

test.for([
  ['GET /derp', [...UPGRADE]],
  ['GET /derp?x=1', [...UPGRADE]],
  ['GET /%64erp', [...UPGRADE]],
  ['GET http://other.example/derp', [...UPGRADE]],
  ['POST /derp', [...UPGRADE, 'Content-Length: 0']],
  ['PUT /derp', [...UPGRADE]],
  ['HEAD /derp', [...UPGRADE]],
  ['OPTIONS /derp', [...UPGRADE]],
  ['GET /derp', ['Connection: keep-alive, Upgrade', 'Upgrade: dErP']],
  ['GET /derp', [...UPGRADE, 'Upgrade: foo']],
  ['GET /derp', [...UPGRADE, 'Expect: 100-continue']],
  ['GET /derp', ['Connection: Upgrade', 'Upgrade: websocket']],
  ['GET /derp', ['Connection: Upgrade', 'Upgrade: WebSocket', 'Sec-WebSocket-Protocol: DERP']],
  [
    'GET /derp',
    ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Protocol: x', 'Sec-WebSocket-Protocol: derp'],
  ],
] as const)('%s with %j is upgraded to plain DERP (P-120, P-121)', async ([line, headers]) => {
  const response = await request(relay.port, line, headers)
  expect(response.status).toBe(101)
  expect(response.names).toEqual(['Upgrade', 'Connection', 'Derp-Version', 'Derp-Public-Key'])
  expect([...response.headers.values()]).toEqual(['DERP', 'Upgrade', '2', relay.relay.publicKey.toHex()])
})

test.for([
  ['GET /derp', ['Connection: Upgrade'], 426],
  ['GET /derp', ['Connection: Upgrade', 'Upgrade: h2c'], 426],
  ['GET /derp', ['Connection: Upgrade', 'Upgrade: derp, websocket'], 426],
  ['GET /derp', ['Connection: Upgrade', 'Upgrade: foo', 'Upgrade: derp'], 426],
  ['GET /derp', ['Connection: Upgrade', 'Upgrade: derp/1'], 426],
  ['POST /derp', [...UPGRADE, 'Content-Length: 3', '', 'abc'], 400],
  ['POST /derp', [...UPGRADE, 'Transfer-Encoding: chunked', '', '0', ''], 400],
  ['GET /', [...UPGRADE], 200],
  ['GET /derp/', [...UPGRADE], 200],
  ['GET /generate_204', [...UPGRADE], 204],
] as const)('%s with %j is not upgraded but gets %i (P-120, P-124)', async ([line, headers, status]) => {
  expect((await request(relay.port, line, headers)).status).toBe(status)
  // None of it may affect the relay.
  expect((await request(relay.port, 'GET /derp', UPGRADE)).status).toBe(101)
})

test.for([
  [['Derp-Fast-Start: 1'], GREETING],
  [['Derp-Fast-Start: 1', 'Derp-Fast-Start: 0'], GREETING],
  [['Derp-Fast-Start: 0'], Buffer.from('HTTP/')],
  [['Derp-Fast-Start: true'], Buffer.from('HTTP/')],
] as const)('fast start with %j starts with the right bytes (P-122)', async ([headers, first]) => {
  const socket = connect(relay.port, '127.0.0.1')
  const received = new Promise<Buffer>(resolve => socket.once('data', resolve))
  socket.write(`GET /derp HTTP/1.1\r\nHost: h\r\n${[...UPGRADE, ...headers].join('\r\n')}\r\n\r\n`)
  expect((await received).subarray(0, 5)).toEqual(first)
  socket.destroy()
})

test('upgrade works over HTTP/1.0 (P-120)', async () => {
  const response = await rawRequest(relay.port, 'GET /derp HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n')
  expect(response.status).toBe(101)
})

test('upgrade works after another request on the connection', async () => {
  const socket = connect(relay.port, '127.0.0.1')
  const probe = await exchange(socket, 'GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n')
  const upgrade = await exchange(socket, `GET /derp HTTP/1.1\r\nHost: h\r\n${UPGRADE.join('\r\n')}\r\n\r\n`)
  expect([probe.status, upgrade.status]).toEqual([200, 101])
  socket.destroy()
})

test('handleUpgrade refuses on the socket for a foreign server', async () => {
  const server = createServer()
  const foreign: Promise<void>[] = []
  server.on('upgrade', (incoming, socket, head) => {
    foreign.push(new Promise(resolve => socket.once('close', () => resolve())))
    relay.relay.handleUpgrade(incoming, socket as Socket, head)
  })
  await using listening = await listenOnLoopback(server)
  const refused = [
    ['GET /derp', ['Connection: Upgrade', 'Upgrade: h2c'], 426],
    ['POST /derp', [...UPGRADE, 'Content-Length: 3', '', 'abc'], 400],
  ] as const
  for (const [line, headers, status] of refused) {
    const response = await request(listening.port, line, headers)
    expect(response.status).toBe(status)
    expect(response.headers.get('connection')).toBe('close')
  }
  expect((await request(listening.port, 'GET /derp', UPGRADE)).status).toBe(101)
  await Promise.all(foreign)
})

test.for([
  [['Ideal-Node: other'], 1],
  [['Ideal-Node:'], 0],
  [['Ideal-Node: one', 'Ideal-Node:'], 1],
  [['Ideal-Node:', 'Ideal-Node: two'], 0],
  [[], 0],
] as const)('Ideal-Node of %j counts %i client on a non-ideal node (P-123)', async ([headers, notIdeal]) => {
  const { core } = relay.relay
  const socket = connect(relay.port, '127.0.0.1')
  const head = ['Host: h', ...UPGRADE, ...headers].join('\r\n')
  const { body } = await exchange(socket, `GET /derp HTTP/1.1\r\n${head}\r\n\r\n`)
  const client = await RawClient.login(new NodeConn(socket, body))
  expect(core.counters.currentNotIdealConnections).toBe(notIdeal)
  client.close()
  await until(() => core.counters.currentConnections === 0, 'the client is gone')
})

test('an HTTP/1.0 request without an upgrade is told which header its proxy dropped (P-124)', async () => {
  const plain = await rawRequest(relay.port, 'GET /derp HTTP/1.1\r\nHost: h\r\n\r\n')
  expect([plain.status, String(plain.body)]).toEqual([426, 'DERP requires connection upgrade\n'])
  for (const headers of ['', 'Host: h\r\nConnection: close\r\n']) {
    const { status, body } = await rawRequest(relay.port, `GET /derp HTTP/1.0\r\n${headers}\r\n`)
    expect([status, String(body)]).toEqual([426, expect.stringContaining('proxy forwarded this request without')])
  }
})
