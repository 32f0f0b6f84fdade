import { createServer } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MeshKey, NodePrivateKey } from '../../src/entries/derphttp.ts'
import { handler } from '../../src/entries/server.ts'
import type { AddressPort } from '../../src/lib/address-port.ts'
import { createRelay } from '../../src/relay.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { dialWebSocket } from '../conformance/websocket-dial.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange, request } from '../support/raw-http.ts'
import { createHttpRelay, listenOnLoopback } from '../support/socket-server.ts'

const MESH_KEY = 'ab'.repeat(32)
const FORWARDED = 'X-Forwarded-For: 127.0.0.1, 192.0.2.1, 10.0.0.9'

let relay: ListeningRelay
let believing: ListeningRelay
/** Addresses that admission was asked about. */
const asked: (AddressPort | undefined)[] = []

beforeAll(async () => {
  const options = {
    meshKey: MeshKey.parse(MESH_KEY),
    admission: {
      admit: async ({ remote }: { remote: AddressPort | undefined }) => {
        asked.push(remote)
        return { admit: true } as const
      },
    },
  }
  relay = await ListeningRelay.start(options)
  believing = await ListeningRelay.start({ ...options, trustedProxies: ['127.0.0.1', '10.0.0.0/8'] })
})
afterAll(() => Promise.all([relay[Symbol.asyncDispose](), believing[Symbol.asyncDispose]()]))

async function upgraded(port: number, headers: readonly string[]): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1')
  const lines = ['GET /derp HTTP/1.1', 'Host: h', 'Connection: Upgrade', 'Upgrade: DERP', ...headers]
  const { body } = await exchange(socket, `${lines.join('\r\n')}\r\n\r\n`)
  return new RawClient(new NodeConn(socket, body))
}

test('admission, sessions and presence use the client address from a trusted proxy (P-040, P-071, P-125)', async () => {
  const watcher = await upgraded(believing.port, [])
  await watcher.login({ info: { meshKey: MESH_KEY } })
  watcher.send({ type: 'watchConns' })
  await watcher.sync()
  asked.length = 0
  const raw = await upgraded(believing.port, [FORWARDED])
  await raw.login()
  const presence = await watcher.messageOf('peerPresent')
  expect(presence).toMatchObject({ peer: raw.publicKey, address: { address: '192.0.2.1', port: 0 } })
  const headers = { 'X-Forwarded-For': '127.0.0.1, [2001:db8::1]:4711' }
  const socket = await RawClient.login(
    await dialWebSocket(new URL(`http://127.0.0.1:${believing.port}/derp`), { headers }),
  )
  expect(asked).toEqual([
    { address: '192.0.2.1', port: 0 },
    { address: '2001:db8::1', port: 4711 },
  ])
  const { clients } = (await debugPage(believing.port, '/debug/clients/?all&sort=conn&format=json')) as {
    clients: { remote: string }[]
  }
  expect(clients.map(({ remote }) => remote).slice(1)).toEqual(['192.0.2.1:0', '[2001:db8::1]:4711'])
  for (const client of [watcher, raw, socket]) client.close()
})

/** A page requested from loopback through a proxy that names the client. */
async function debugPage(port: number, path: string): Promise<unknown> {
  const { body } = await request(port, `GET ${path}`, ['X-Forwarded-For: 127.0.0.1'])
  return JSON.parse(body.toString())
}

test('headers of an untrusted proxy are ignored (P-125)', async () => {
  asked.length = 0
  const client = await upgraded(relay.port, [FORWARDED])
  await client.login()
  expect(asked).toMatchObject([{ address: '127.0.0.1' }])
  client.close()
})

test.for([
  [['X-Forwarded-For: 127.0.0.1'], 403, 200],
  [['X-Forwarded-For: 100.64.0.1, 10.0.0.1'], 403, 200],
  [['X-Forwarded-For: 127.0.0.1, 192.0.2.1'], 403, 403],
  [['X-Forwarded-For: 127.0.0.1', 'X-Forwarded-For: 192.0.2.1'], 403, 403],
  [['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-For: 127.0.0.1'], 403, 403],
  [['X-Forwarded-For: 127.0.0.1, unknown'], 403, 403],
  // A proxy that does not name the client does not count as loopback.
  [[], 200, 403],
  [['X-Forwarded-For: '], 200, 403],
] as const)(
  'with headers %j debug access is %i, behind a trusted proxy %i (P-125, P-190)',
  async ([headers, direct, trusted]) => {
    expect((await request(relay.port, 'GET /debug/', headers)).status).toBe(direct)
    expect((await request(believing.port, 'GET /debug/', headers)).status).toBe(trusted)
  },
)

test('X-Forwarded-For applies to one request, not to its connection (P-125)', async () => {
  const socket = connect(believing.port, '127.0.0.1')
  const statusFor = async (client: string) =>
    (await exchange(socket, `GET /debug/ HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: ${client}\r\n\r\n`)).status
  expect([await statusFor('100.64.0.1'), await statusFor('192.0.2.1'), await statusFor('100.64.0.1')]).toEqual([
    200, 403, 200,
  ])
  socket.destroy()
})

test('a refusal that explains how to get access names the client’s address (P-125)', async () => {
  await using hinting = await ListeningRelay.start({ trustedProxies: ['127.0.0.1'], debug: { hintsAtAccess: true } })
  const { body } = await request(hinting.port, 'GET /debug/vars', ['X-Forwarded-For: 192.0.2.1'])
  expect(body.toString()).toContain('TS_ALLOW_DEBUG_IP=192.0.2.1\n')
})

test('the handler for other servers also trusts proxies (P-125)', async () => {
  const { core } = createHttpRelay()
  const { request: onRequest, upgrade } = handler(core, { trustedProxies: ['127.0.0.1'] })
  await using listening = await listenOnLoopback(createServer(onRequest).on('upgrade', upgrade))
  const client = await upgraded(listening.port, ['X-Forwarded-For: 192.0.2.7'])
  await client.login()
  expect([...core.sessions].map(({ remote }) => remote?.address)).toEqual(['192.0.2.7'])
  client.close()
  core.close()
})

test('createRelay and handler reject an invalid proxy address', () => {
  const privateKey = NodePrivateKey.generate()
  const refusal = '"proxy.local" is neither an IP address nor a block'
  expect(() => createRelay({ privateKey, trustedProxies: ['proxy.local'] })).toThrow(refusal)
  const { core } = createHttpRelay()
  expect(() => handler(core, { trustedProxies: ['proxy.local'] })).toThrow(refusal)
  core.close()
})

test.for([
  [['X-Forwarded-For: 192.0.2.1'], 'Upgrade'],
  [['Via: 1.1 cache'], 'Upgrade'],
  [['Forwarded: for=192.0.2.1'], 'Upgrade'],
  [['X-Real-IP: 192.0.2.1'], 'Upgrade'],
  [['X-Real-IP: 192.0.2.1', 'Upgrade: DERP'], 'Connection: Upgrade'],
] as const)('the response to %j reports that a proxy dropped %s (P-124)', async ([headers, lost]) => {
  const { status, body } = await request(relay.port, 'GET /derp', headers)
  expect(status).toBe(426)
  expect(body.toString()).toBe(
    'DERP requires connection upgrade\n' +
      `A proxy forwarded this request without the header ${lost}: configure it to forward Upgrade and Connection over HTTP/1.1\n`,
  )
})

test('only a trusted proxy gets the hint that it drops the upgrade (P-124, P-125)', async () => {
  const told = async (at: ListeningRelay) => String((await request(at.port, 'GET /derp')).body)
  expect(await told(believing)).toContain('A proxy forwarded this request without the header Upgrade')
  expect(await told(relay)).toBe('DERP requires connection upgrade\n')
})
