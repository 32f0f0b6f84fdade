/** Packets between clients, and what a client holds back. */

import { Client, NodePrivateKey, PeerGoneReason } from '../../../src/entries/browser.ts'
import { assert, assertSame, type ClientCase, nextMessage, readyClient, rejectionOf, tellProxy } from './case.ts'

/** Most bytes that a WebSocket holds when `send` waits: the limit of the connection, and one batch beyond it. */
const MOST_BUFFERED = 262_144 + 131_072

export const PACKETS: readonly ClientCase[] = [
  {
    name: 'two clients exchange packets of every size, in order (P-151, P-154)',
    async run({ url }) {
      await using a = await readyClient(url)
      await using b = await readyClient(url)
      const sizes = [0, 1, 1_000, 32_768, 65_536]
      const sending = Promise.all(sizes.map((size, i) => a.send(b.selfPublicKey(), new Uint8Array(size).fill(i + 1))))
      for (const [i, size] of sizes.entries()) {
        const { source, data } = await nextMessage(b, 'receivedPacket')
        assertSame([String(source), data.length], [String(a.selfPublicKey()), size], 'source and length')
        assert(
          data.every(byte => byte === i + 1),
          `bytes of packet ${i}`,
        )
      }
      await sending
    },
  },
  {
    name: 'a client is told of a peer that is not there, and of one that leaves (P-060)',
    async run({ url }) {
      await using client = await readyClient(url)
      const nobody = (await NodePrivateKey.generate()).publicKey()
      await client.send(nobody, discoPacket())
      const { peer, reason } = await nextMessage(client, 'peerGone')
      assertSame([String(peer), reason], [String(nobody), PeerGoneReason.NotHere], 'who is not there')
      const other = await readyClient(url)
      await other.send(client.selfPublicKey(), Uint8Array.of(2))
      await nextMessage(client, 'receivedPacket')
      await other.close()
      const gone = await nextMessage(client, 'peerGone')
      assertSame([String(gone.peer), gone.reason], [String(other.selfPublicKey()), 0], 'who has left')
    },
  },
  {
    name: 'the relay answers pings (P-091)',
    async run({ url }) {
      const client = await readyClient(url)
      const receiving = rejectionOf(client.recv())
      await client.ping()
      await client.close()
      assertSame((await receiving).code, 'ERR_DERP_CLIENT_CLOSED', 'code of what was received meanwhile')
    },
  },
  {
    name: 'frames of one turn leave in messages of many (P-151)',
    async run({ url }) {
      let messages = 0
      const createWebSocket = (target: string, protocols: string[]) => {
        const socket = new WebSocket(target, protocols)
        const send = socket.send.bind(socket)
        socket.send = data => {
          messages++
          send(data)
        }
        return socket
      }
      await using client = await readyClient(url, { createWebSocket })
      messages = 0
      const nobody = (await NodePrivateKey.generate()).publicKey()
      await Promise.all(Array.from({ length: 100 }, () => client.send(nobody, new Uint8Array(100))))
      assertSame(messages, 1, 'messages for a hundred packets')
    },
  },
  {
    name: 'a client whose relay does not read waits, and holds no more than it may',
    async run(environment) {
      let most = 0
      const createWebSocket = (target: string, protocols: string[]) => {
        const socket = new WebSocket(target, protocols)
        const send = socket.send.bind(socket)
        // Not by a timer: those of a page behind another one are held back.
        socket.send = data => {
          send(data)
          most = Math.max(most, socket.bufferedAmount)
        }
        return socket
      }
      const client = await readyClient(environment.proxiedUrl, { createWebSocket })
      const nobody = (await NodePrivateKey.generate()).publicKey()
      await tellProxy(environment, 'spoil?fault=stall')
      for (let sent = 0; sent < 100; sent++) await client.send(nobody, new Uint8Array(65_536))
      await client.close()
      assert(most > 0 && most <= MOST_BUFFERED, `${most} bytes were buffered`)
    },
  },
  {
    name: 'one client sends to itself by the relay',
    async run({ url }) {
      await using client = new Client(await NodePrivateKey.generate(), url)
      await client.send(client.selfPublicKey(), Uint8Array.of(5))
      assertSame([...(await nextMessage(client, 'receivedPacket')).data], [5], 'the packet')
    },
  },
]

/** The shape of a message by which peers look for direct paths: only such ones are answered when nobody is there. */
function discoPacket(): Uint8Array {
  const packet = new Uint8Array(62)
  packet.set(new TextEncoder().encode('TS\u{1F4AC}'))
  return packet
}
