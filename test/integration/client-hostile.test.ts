/** Misbehaving servers: each causes one typed error, after which the client still works. */

import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { Client } from '../../src/entries/client.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeUtf8, writeUint32 } from '../../src/lib/bytes.ts'
import { MAGIC } from '../../src/protocol/constants.ts'
import { encodeFrame } from '../../src/protocol/encode.ts'
import { FrameType } from '../../src/protocol/frame-type.ts'
import { encodeGreeting } from '../../src/protocol/login.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { nextMessage } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'
import { createHttpRelay, startTcpServer } from '../support/socket-server.ts'

const UPGRADED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n'
const SERVER_KEY = NodePrivateKey.generate().publicKey()
const GREETING = encodeGreeting(SERVER_KEY)

/** A server that misbehaves on its first connection and is a working relay afterwards. */
async function startServer(misbehave: (socket: Socket) => void) {
  const good = createHttpRelay()
  let isFirst = true
  const server = await startTcpServer(socket => {
    if (!isFirst) {
      good.server.emit('connection', socket)
      return
    }
    isFirst = false
    misbehave(socket.resume())
  })
  const clock = new FakeClock()
  const client = new Client(NodePrivateKey.generate(), `http://127.0.0.1:${server.port}/derp`, { clock })
  return {
    client,
    clock,
    server,
    async [Symbol.asyncDispose]() {
      await client.close()
      await until(() => server.sockets.size === 0, 'no connection is left')
      expect(clock.pendingTimers).toBe(0)
      good.core.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** Writes `chunk` repeatedly, with backpressure. */
function flood(socket: Socket, chunk: Uint8Array): void {
  const write = () => socket.write(chunk, error => !error && !socket.destroyed && setImmediate(write))
  write()
}

function header(type: number, length: number): Uint8Array {
  const bytes = Uint8Array.of(type, 0, 0, 0, 0)
  writeUint32(bytes, 1, length)
  return bytes
}

test.each<[what: string, code: string, misbehave: (socket: Socket) => void]>([
  ['closes at once', 'ERR_DERP_CONN_CLOSED', socket => socket.end()],
  ['resets at once', 'ERR_DERP_DIAL_FAILED', socket => socket.resetAndDestroy()],
  ['speaks another protocol', 'ERR_DERP_UPGRADE_MALFORMED', socket => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n')],
  ['closes in the middle of the response', 'ERR_DERP_CONN_CLOSED', socket => socket.end('HTTP/1.1 101 Switch')],
  [
    'never ends its headers',
    'ERR_DERP_UPGRADE_MALFORMED',
    socket => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n')
      flood(socket, encodeUtf8('X-Header: value\r\n'))
    },
  ],
  ['floods garbage', 'ERR_DERP_UPGRADE_MALFORMED', socket => flood(socket, new Uint8Array(65_536).fill(0xa5))],
  [
    'refuses',
    'ERR_DERP_UPGRADE_REFUSED',
    socket => socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
  ],
  ['redirects', 'ERR_DERP_UPGRADE_REFUSED', socket => socket.write('HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n')],
  [
    'refuses without an end',
    'ERR_DERP_UPGRADE_REFUSED',
    socket => {
      socket.write('HTTP/1.1 500 Oops\r\n\r\n')
      flood(socket, encodeUtf8('sorry '))
    },
  ],
  ['closes after the upgrade', 'ERR_DERP_CONN_CLOSED', socket => socket.end(UPGRADED)],
  [
    'has a wrong magic',
    'ERR_DERP_LOGIN_MAGIC_WRONG',
    socket => {
      socket.write(UPGRADED)
      socket.write(
        encodeFrame(
          FrameType.ServerKey,
          MAGIC.map(byte => byte ^ 1),
          SERVER_KEY.bytes,
        ),
      )
    },
  ],
  [
    'greets with another frame',
    'ERR_DERP_FRAME_UNEXPECTED',
    socket => {
      socket.write(UPGRADED)
      socket.write(encodeFrame(FrameType.ServerInfo, new Uint8Array(50)))
    },
  ],
  [
    'greets for ever',
    'ERR_DERP_FRAME_TOO_LONG',
    socket => {
      socket.write(UPGRADED)
      socket.write(header(FrameType.ServerKey, 0xffffffff))
      flood(socket, new Uint8Array(65_536))
    },
  ],
])('a server that %s is reported once by connect', async (_what, code, misbehave) => {
  await using setup = await startServer(misbehave)
  await expect(setup.client.connect()).rejects.toMatchObject({ code })
  await setup.client.connect()
  await nextMessage(setup.client, 'serverInfo')
})

test.each<[what: string, code: string, misbehave: (socket: Socket) => void]>([
  ['closes in the middle of a frame', 'ERR_DERP_CONN_CLOSED', socket => socket.end(header(FrameType.RecvPacket, 1000))],
  [
    'announces a frame of 4 GiB',
    'ERR_DERP_FRAME_TOO_LONG',
    socket => socket.write(header(FrameType.RecvPacket, 0xffffffff)),
  ],
  [
    'seals ServerInfo with another key',
    'ERR_DERP_LOGIN_BOX_FORGED',
    socket => {
      socket.write(encodeFrame(FrameType.ServerInfo, new Uint8Array(100)))
    },
  ],
  [
    'sends short frames, then floods garbage',
    'ERR_DERP_FRAME_TOO_LONG',
    socket => {
      for (const type of [FrameType.RecvPacket, FrameType.PeerGone, FrameType.Ping]) socket.write(encodeFrame(type))
      flood(socket, new Uint8Array(65_536).fill(0xa5))
    },
  ],
])('a relay that %s is reported once by recv', async (_what, code, misbehave) => {
  await using setup = await startServer(socket => {
    socket.write(UPGRADED)
    socket.write(GREETING)
    // ClientInfo follows the request.
    let received = ''
    const onData = (chunk: Buffer) => {
      received += chunk.toString('latin1')
      if (!/\r\n\r\n./s.test(received)) return
      socket.off('data', onData)
      misbehave(socket)
    }
    socket.on('data', onData)
  })
  await expect(setup.client.recv()).rejects.toMatchObject({ code })
  await nextMessage(setup.client, 'serverInfo')
})

test.each<[stage: string, misbehave: (socket: Socket) => void]>([
  ['at all', () => {}],
  ['more than half a response', socket => socket.write(UPGRADED.slice(0, 40))],
  ['after the upgrade', socket => socket.write(UPGRADED)],
  [
    'more than half a greeting',
    socket => {
      socket.write(UPGRADED)
      socket.write(GREETING.subarray(0, 20))
    },
  ],
])('a server that does not respond to %s is abandoned after 10 s (P-202)', async (_stage, misbehave) => {
  const answered = Promise.withResolvers<void>()
  await using setup = await startServer(socket => {
    socket.once('data', () => {
      misbehave(socket)
      answered.resolve()
    })
  })
  const connecting = setup.client.connect()
  connecting.catch(() => {})
  await answered.promise
  setup.clock.advance(9_999)
  await settle()
  expect(setup.server.sockets.size).toBe(1)
  setup.clock.advance(1)
  await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_TIMEOUT' })
  await until(() => setup.server.sockets.size === 0, 'the connection is closed')
  await setup.client.connect()
})

test('a refusal whose announced body never arrives is reported by status after 1 s (P-213)', async () => {
  await using setup = await startServer(socket => socket.write('HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\n'))
  const connecting = setup.client.connect()
  connecting.catch(() => {})
  // One timer for the whole attempt, one for the body.
  await until(() => setup.clock.pendingTimers === 2, 'the refusal has arrived')
  setup.clock.advance(1_000)
  await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_UPGRADE_REFUSED', status: 403 })
  await setup.client.connect()
})

test('a relay that sends nothing after login is abandoned after 120 s (P-094)', async () => {
  await using setup = await startServer(socket => {
    socket.write(UPGRADED)
    socket.write(GREETING)
  })
  await setup.client.connect()
  const received = setup.client.recv()
  setup.clock.advance(120_000)
  await expect(received).rejects.toMatchObject({ code: 'ERR_DERP_READ_TIMEOUT' })
  await nextMessage(setup.client, 'serverInfo')
})

test('a relay that closes on privileged calls of an ordinary client is reported once (P-074)', async () => {
  await using setup = await startServer(socket => socket.destroy())
  const { client } = setup
  await expect(client.connect()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_DERP_/) })
  client.meshKey = MeshKey.parse('ab'.repeat(32))
  await nextMessage(client, 'serverInfo')
  await client.closePeer(SERVER_KEY)
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  await nextMessage(client, 'serverInfo')
})
