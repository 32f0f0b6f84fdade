/**
 * Carries TCP connections over a relay: `expose` makes a local service reachable, `connect` gives it a port on another machine.
 *
 * The ticket is the exposing side's key and a secret, which all packets are sealed with. The relay does not learn the secret, and
 * nobody reaches the service without it.
 */

import { randomBytes } from 'node:crypto'
import { type AddressInfo, connect, createServer } from 'node:net'
import { pipeline } from 'node:stream'
import { Client, ErrClientClosed, isDerpError, NodePrivateKey, NodePublicKey, ResilientClient } from 'derphttp'
import { openBox, sealBox } from 'derphttp/protocol'
import type { PacketStream } from './packet-stream.ts'
import { Streams } from './streams.ts'

const HOST = '127.0.0.1'

/** All connections with all peers, over one client of the relay. */
class Tunnel {
  readonly key: NodePublicKey
  readonly client: ResilientClient<string>
  readonly #secret: Uint8Array
  readonly #onOpen: ((stream: PacketStream) => void) | undefined
  readonly #peers = new Map<string, Streams>()
  #lastSent: Promise<void> = Promise.resolve()

  /** @param onOpen for connections that a peer opens. Default: it may open none. */
  constructor(relay: string, secret: Uint8Array, onOpen?: (stream: PacketStream) => void) {
    const privateKey = NodePrivateKey.generate()
    this.key = privateKey.publicKey()
    this.client = new ResilientClient({ targets: [relay], createClient: target => new Client(privateKey, target) })
    this.client.events.on('state', ({ state, error }) => {
      if (state === 'waiting') console.error(`no connection, trying again: ${error?.message}`)
    })
    this.#secret = secret
    this.#onOpen = onOpen
    process.once('SIGINT', () => void this.close())
  }

  streamsWith(peer: NodePublicKey): Streams {
    const known = this.#peers.get(`${peer}`)
    if (known !== undefined) return known
    // A packet that cannot be sent counts as lost: it is sent again.
    const send = (packet: Uint8Array) => {
      this.#lastSent = this.client.send(peer, sealBox(this.#secret, packet)).catch(() => {})
    }
    const streams = new Streams(send, this.#onOpen)
    this.#peers.set(`${peer}`, streams)
    return streams
  }

  /** Receives until the tunnel is closed. */
  async run(): Promise<void> {
    try {
      for await (const message of this.client) {
        if (message.type !== 'receivedPacket') continue
        const packet = openBox(this.#secret, message.data)
        if (packet !== undefined) this.streamsWith(message.source).receive(packet)
      }
    } catch (error) {
      if (!isDerpError(error, ErrClientClosed)) throw error
    }
  }

  /** Breaks all connections off. */
  async close(): Promise<void> {
    for (const streams of this.#peers.values()) streams.close()
    await this.#lastSent
    await this.client[Symbol.asyncDispose]()
  }
}

function onEnd(error: NodeJS.ErrnoException | null | undefined): void {
  if (error) console.error(`connection broken off: ${error.message}`)
}

async function exposeService(relay: string, port: number): Promise<void> {
  const secret = randomBytes(32)
  const tunnel = new Tunnel(relay, secret, stream => {
    pipeline(stream, connect({ host: HOST, port, allowHalfOpen: true }), stream, onEnd)
  })
  await tunnel.client.connect()
  console.log(`ticket: ${tunnel.key}.${secret.toString('base64url')}`)
  await tunnel.run()
}

async function openPort(relay: string, ticket: string, port: number): Promise<void> {
  const [key = '', secret = ''] = ticket.split('.')
  if (secret === '') throw new Error('read the ticket: not what expose prints, KEY.SECRET')
  const peer = NodePublicKey.parse(key)
  const tunnel = new Tunnel(relay, Buffer.from(secret, 'base64url'))
  const streams = tunnel.streamsWith(peer)
  const server = createServer({ allowHalfOpen: true }, socket => pipeline(socket, streams.open(), socket, onEnd))
  server.once('error', error => {
    console.error(`listen on ${HOST}:${port}: ${error.message}`)
    process.exitCode = 1
    void tunnel.close()
  })
  server.listen(port, HOST, () => console.log(`listening on ${HOST}:${(server.address() as AddressInfo).port}`))
  await tunnel.run()
  server.close()
}

const [role, relay, target, port] = process.argv.slice(2)
try {
  if (role === 'expose' && relay && target) await exposeService(relay, Number(target))
  else if (role === 'connect' && relay && target && port) await openPort(relay, target, Number(port))
  else {
    console.error('usage: node tunnel.ts expose RELAY PORT\n       node tunnel.ts connect RELAY TICKET PORT')
    process.exitCode = 2
  }
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
