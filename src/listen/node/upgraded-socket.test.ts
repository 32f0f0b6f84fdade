import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { settle } from '../../../test/support/settle.ts'
import type { Conn } from '../../transport/conn.ts'
import type { HttpUpgrade } from '../http-service.ts'
import { replyOnSocket, takeSocket } from './upgraded-socket.ts'

/** A socket of a server that records what is asked of it, and the bytes that its client gets. */
function setUp({ timeout = 0 } = {}) {
  const [client, served] = duplexPair()
  const asked: string[] = []
  const options = {
    timeout,
    setTimeout: (ms: number) => asked.push(`time-out ${ms}`),
    setNoDelay: (isOn: boolean) => asked.push(`no delay ${isOn}`),
  }
  const socket = Object.assign(served, options) as unknown as Socket
  const write = served.write.bind(served)
  served.write = ((bytes: string) => {
    asked.push(`write ${bytes}`)
    return write(bytes)
  }) as typeof served.write
  let text = ''
  client.on('data', (bytes: Buffer) => {
    text += bytes
  })
  return { socket, client, asked, text: () => text }
}

function grant(parts: Partial<HttpUpgrade> = {}) {
  const accepted: [Conn, number | undefined][] = []
  const accept = (conn: Conn, acceptedAtMs: number | undefined) => void accepted.push([conn, acceptedAtMs])
  const upgrade: HttpUpgrade = { protocol: 'derp', responseHead: '', remote: undefined, accept, ...parts }
  return { upgrade, accepted }
}

test('an upgraded socket gets the head of the response, and becomes a connection (P-121)', async () => {
  const { socket, asked, text } = setUp()
  const remote = { address: '192.0.2.1', port: 4711 }
  const { upgrade, accepted } = grant({ responseHead: 'HTTP/1.1 101 Switching Protocols\r\n\r\n', remote })
  takeSocket(upgrade, { socket, head: Buffer.from('first'), acceptedAtMs: 7 })
  await settle()
  expect(asked).toEqual(['no delay true', `write ${upgrade.responseHead}`])
  expect(text()).toBe(upgrade.responseHead)
  expect(accepted).toHaveLength(1)
  const [[conn, acceptedAtMs]] = accepted as [[Conn, number]]
  expect([conn.remote, acceptedAtMs]).toEqual([remote, 7])
  const received: string[] = []
  conn.open({ onData: bytes => void received.push(String(bytes)), onClose() {} })
  await settle()
  expect(received).toEqual(['first'])
})

test('nothing is written for a fast start (P-122)', () => {
  const { socket, asked } = setUp()
  takeSocket(grant().upgrade, { socket, head: new Uint8Array(), acceptedAtMs: undefined })
  expect(asked).toEqual(['no delay true'])
})

test('a time-out of node:http ends with the upgrade (P-107)', () => {
  const { socket, asked } = setUp({ timeout: 5_000 })
  takeSocket(grant().upgrade, { socket, head: new Uint8Array(), acceptedAtMs: undefined })
  expect(asked).toEqual(['time-out 0', 'no delay true'])
})

test('a WebSocket needs the request as node:http has read it (P-150)', () => {
  const { upgrade, accepted } = grant({ protocol: 'websocket' })
  const { socket } = setUp()
  const take = () => takeSocket(upgrade, { socket, head: new Uint8Array(), acceptedAtMs: undefined })
  expect(take).toThrow('accept WebSocket: its request was not read by node:http')
  expect(accepted).toEqual([])
})

test.each([
  ['text', 'no upgrade hére\n', 17, 'no upgrade hére\n'],
  ['other bodies, which are left out', Buffer.from('bytes'), 0, ''],
  ['nothing', undefined, 0, ''],
])('a reply on a socket has a body of %s, and the connection is closed (P-120)', async (_, body, length, sent) => {
  const { socket, client, text } = setUp()
  replyOnSocket(socket, { status: 426, headers: { 'X-A': 'b' }, ...(body !== undefined && { body }) })
  client.end()
  await settle()
  const head = `HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nX-A: b\r\nContent-Length: ${length}\r\n\r\n`
  expect(text()).toBe(head + sent)
})

test('a reply on a socket does not wait for the client to close the connection', async () => {
  const { socket } = setUp()
  replyOnSocket(socket, { status: 404, body: '' })
  await settle()
  expect(socket.destroyed).toBe(true)
})

test('a client that resets its connection before the reply harms nobody', () => {
  const { socket } = setUp()
  replyOnSocket(socket, { status: 404, body: '' })
  expect(() => socket.emit('error', new Error('read ECONNRESET'))).not.toThrow()
})
