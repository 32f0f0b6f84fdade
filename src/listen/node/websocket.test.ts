import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { settle, until } from '../../../test/support/settle.ts'
import type { Conn } from '../../transport/conn.ts'
import { acceptWebSocket } from './websocket.ts'

const HEADERS = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
}
const OPCODE = { binary: 2, ping: 9, pong: 10 } as const
const CLOSE = 0x88
const CLOSE_POLICY_VIOLATION = 1008
/** The shortest messages have six bytes, and are read in pieces of 2 KiB. */
const PIECE_MESSAGES = 2_048 / 6

/** Asks for a WebSocket with the protocols `offered`; the client is raw. */
async function request(offered: string) {
  const [client, served] = duplexPair()
  const accepted: [Conn, number | undefined][] = []
  const remote = { address: '192.0.2.1', port: 4711 }
  const local = { localAddress: '192.0.2.8', localPort: 443 }
  const accept = (conn: Conn, acceptedAtMs: number | undefined) => void accepted.push([conn, acceptedAtMs])
  const message = { method: 'GET', headers: { ...HEADERS, 'sec-websocket-protocol': offered } }
  let received = Buffer.alloc(0)
  client.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
  })
  acceptWebSocket(
    { protocol: 'websocket', responseHead: '', remote, accept },
    {
      message: message as unknown as IncomingMessage,
      socket: Object.assign(served, local) as unknown as Socket,
      head: new Uint8Array(),
      acceptedAtMs: 7,
    },
  )
  await settle()
  const headEnd = received.indexOf('\r\n\r\n') + 4
  const protocol = /^Sec-WebSocket-Protocol: (.*)\r$/m.exec(received.toString('latin1', 0, headEnd))?.[1]
  return { client, accepted, protocol, body: () => received.subarray(headEnd) }
}

/** A message of a client without a payload; the mask is zero. */
const emptyMessage = (opcode: number) => Buffer.from([0x80 | opcode, 0x80, 0, 0, 0, 0])

test.each(['derp', 'other, derp, more'])('a WebSocket that offers %s carries DERP (P-150)', async offered => {
  const { accepted, protocol, client } = await request(offered)
  expect(protocol).toBe('derp')
  expect(accepted).toHaveLength(1)
  const [[conn, acceptedAtMs]] = accepted as [[Conn, number]]
  expect(acceptedAtMs).toBe(7)
  expect([conn.remote, conn.local]).toEqual([
    { address: '192.0.2.1', port: 4711 },
    { address: '192.0.2.8', port: 443 },
  ])
  client.destroy()
})

test.each([
  ['other', undefined],
  ['xderpx', undefined],
  ['Derp, other', 'Derp'],
])('a WebSocket that offers %s is closed with 1008 (P-150)', async (offered, granted) => {
  const { accepted, protocol, body, client } = await request(offered)
  expect([protocol, accepted]).toEqual([granted, []])
  expect([body()[0], body().readUInt16BE(2)]).toEqual([CLOSE, CLOSE_POLICY_VIOLATION])
  client.destroy()
})

test('a refused WebSocket that goes on with invalid bytes harms nobody (P-150)', async () => {
  const { client } = await request('other')
  const uncaught: unknown[] = []
  process.setUncaughtExceptionCaptureCallback(error => uncaught.push(error))
  try {
    client.write(Buffer.alloc(40, 0xff))
    await settle(10)
  } finally {
    process.setUncaughtExceptionCaptureCallback(null)
    client.destroy()
  }
  expect(uncaught).toEqual([])
})

test('a WebSocket ping is answered with a pong, and counts as an empty message (P-153)', async () => {
  const { client, accepted, body } = await request('derp')
  let empty = 0
  accepted[0]?.[0].open({ onData() {}, onEmpty: () => empty++, onClose() {} })
  client.write(emptyMessage(OPCODE.ping))
  await settle()
  expect([...body()]).toEqual([0x80 | OPCODE.pong, 0])
  expect(empty).toBe(1)
  client.destroy()
})

test.each(['binary', 'pong'] as const)(
  'empty messages (%s) are handed over one by one, in turns of bounded number (P-111, P-153)',
  async kind => {
    const { client, accepted } = await request('derp')
    let [total, inTurn, most] = [0, 0, 0]
    accepted[0]?.[0].open({
      onData() {},
      onEmpty() {
        total++
        // Runs once the turn is over.
        if (inTurn++ === 0) setImmediate(() => (inTurn = 0))
        most = Math.max(most, inTurn)
      },
      onClose() {},
    })
    client.write(Buffer.concat(Array.from({ length: 2_000 }, () => emptyMessage(OPCODE[kind]))))
    await until(() => total === 2_000, 'all have come')
    // The share of all connections may begin its turn right after the first piece.
    expect(most).toBeLessThanOrEqual(2 * Math.ceil(PIECE_MESSAGES))
    client.destroy()
  },
)
