/** DERP over WebSocket. */

import { once } from 'node:events'
import WebSocket from 'ws'
import { encodeClientToServer } from '../../../src/protocol/encode.ts'
import { payload } from '../../support/payload.ts'
import { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import { equal, expectNothingBut, expectPacket, ok } from '../check.ts'
import type { Target } from '../target.ts'
import { WebSocketClientConn } from '../websocket-dial.ts'

function dial(target: Target, protocols: string | string[] = 'derp', headers: Record<string, string> = {}): WebSocket {
  const url = new URL(target.url)
  url.protocol = target.isTls ? 'wss:' : 'ws:'
  const { ca } = target.options
  return new WebSocket(url, protocols, { headers, ...(ca !== undefined && { ca }) })
}

/** Opens a WebSocket with these options. */
async function open(target: Target, ...options: [(string | string[])?, Record<string, string>?]): Promise<WebSocket> {
  const socket = dial(target, ...options)
  await once(socket, 'open')
  return socket
}

async function loggedIn(target: Target): Promise<{ socket: WebSocket; client: RawClient }> {
  const socket = dial(target)
  // Registered before the socket is open, as the greeting arrives immediately.
  const conn = new WebSocketClientConn(socket)
  await once(socket, 'open')
  const client = new RawClient(conn)
  await client.login()
  return { socket, client }
}

const NEEDS = ['websocket'] as const

export const webSocketCases: readonly ConformanceCase[] = [
  {
    id: 'websocket/protocol-derp-is-chosen-without-compression',
    clauses: ['P-150'],
    needs: NEEDS,
    async run(target) {
      const socket = await open(target, ['other', 'derp'])
      equal(socket.protocol, 'derp')
      equal(socket.extensions, '')
      socket.terminate()
    },
  },
  {
    id: 'websocket/any-origin',
    clauses: ['P-150'],
    needs: NEEDS,
    async run(target) {
      const socket = await open(target, 'derp', { Origin: 'https://somewhere.example' })
      socket.terminate()
    },
  },
  {
    id: 'websocket/frame-over-many-messages',
    clauses: ['P-151'],
    needs: NEEDS,
    async run(target) {
      const { socket, client } = await loggedIn(target)
      const frame = encodeClientToServer({ type: 'sendPacket', destination: client.publicKey, data: payload(30, 1) })
      for (const byte of frame) socket.send(Uint8Array.of(byte))
      await expectPacket(client, client, payload(30, 1))
      client.close()
    },
  },
  {
    id: 'websocket/many-frames-in-one-message',
    clauses: ['P-151'],
    needs: NEEDS,
    async run(target) {
      const { socket, client } = await loggedIn(target)
      const frames = Array.from({ length: 20 }, (_, n) =>
        encodeClientToServer({ type: 'sendPacket', destination: client.publicKey, data: payload(n, n) }),
      )
      socket.send(Buffer.concat(frames))
      for (let n = 0; n < 20; n++) await expectPacket(client, client, payload(n, n))
      client.close()
    },
  },
  {
    id: 'websocket/empty-messages-are-nothing',
    clauses: ['P-151'],
    needs: NEEDS,
    async run(target) {
      const { socket, client } = await loggedIn(target)
      for (let n = 0; n < 5; n++) socket.send(new Uint8Array(0))
      await expectNothingBut(client)
      client.close()
    },
  },
  {
    id: 'websocket/text-message-closes',
    clauses: ['P-151'],
    needs: NEEDS,
    async run(target) {
      const { socket, client } = await loggedIn(target)
      socket.send('text')
      await client.closed()
    },
  },
  {
    id: 'websocket/pings-of-the-carriage-are-answered',
    clauses: ['P-150'],
    needs: NEEDS,
    async run(target) {
      const { socket, client } = await loggedIn(target)
      const pong = once(socket, 'pong')
      socket.ping('hello')
      equal(String((await pong)[0]), 'hello')
      client.close()
    },
  },
  {
    id: 'websocket/message-above-32-kib',
    clauses: ['P-152'],
    needs: NEEDS,
    differs: 'D-15',
    async run(target) {
      const { socket, client } = await loggedIn(target)
      socket.send(encodeClientToServer({ type: 'sendPacket', destination: client.publicKey, data: payload(40_000, 1) }))
      if (target.isOriginal) {
        const [code] = await once(socket, 'close')
        equal(code, 1009)
      } else {
        await expectPacket(client, client, payload(40_000, 1))
        client.close()
      }
    },
  },
  {
    id: 'websocket/raw-clients-and-websocket-clients-meet',
    clauses: ['P-151'],
    needs: NEEDS,
    async run(target) {
      const { client } = await loggedIn(target)
      const { head, conn } = await target.upgrade()
      ok(head.startsWith('HTTP/1.1 101 '), head)
      const raw = new RawClient(conn)
      await raw.login()
      raw.packet(client.publicKey, payload(100, 1))
      await expectPacket(client, raw, payload(100, 1))
      client.packet(raw.publicKey, payload(65_536, 2))
      await expectPacket(raw, client, payload(65_536, 2))
      client.close()
      raw.close()
    },
  },
  {
    id: 'websocket/close-is-a-departure',
    clauses: ['P-153'],
    needs: NEEDS,
    async run(target) {
      const [{ socket, client }, { client: other }] = [await loggedIn(target), await loggedIn(target)]
      client.packet(other.publicKey, payload(5, 1))
      await expectPacket(other, client, payload(5, 1))
      socket.close(1000)
      equal((await other.messageOf('peerGone')).reason, 0)
      other.close()
    },
  },
]
