/** Clients that keep a relay busy while it drains, and the sums that must be right afterwards. */

import { expect } from 'vitest'
import type { ResilientClient, ResilientRegionClient } from '../../src/entries/client.ts'
import type { NodePublicKey } from '../../src/keys/node-key.ts'
import type { DrainLine } from './region.ts'

const PAYLOAD = new Uint8Array(700)
/** Milliseconds between two packets of a client. */
const PACE_MS = 2

/** A client that sends constantly, counts received packets, and records its connections. */
export class LoadedClient {
  readonly publicKey: NodePublicKey
  received = 0
  /** Deadlines for being connected again, from announced restarts. */
  readonly promises: number[] = []
  /** When it first started to connect to each node. */
  readonly connectingAtMs = new Map<string, number>()
  /** When each connection was there. */
  readonly connectedAtMs: number[] = []
  node: string | undefined
  readonly #client: ResilientClient | ResilientRegionClient
  #isOver = false
  #sending: Promise<void> = Promise.resolve()

  constructor(publicKey: NodePublicKey, client: ResilientClient | ResilientRegionClient) {
    this.publicKey = publicKey
    this.#client = client
    client.events.on('state', ({ state, node = '' }) => {
      this.node = state === 'connected' ? node : undefined
      if (state === 'connecting' && !this.connectingAtMs.has(node)) this.connectingAtMs.set(node, performance.now())
      if (state === 'connected') this.connectedAtMs.push(performance.now())
    })
    void this.#receive()
  }

  async connect(): Promise<void> {
    await this.#client.connect()
  }

  sendTo(peer: NodePublicKey): void {
    this.#sending = this.#send(peer)
  }

  async stopSending(): Promise<void> {
    this.#isOver = true
    await this.#sending
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #send(peer: NodePublicKey): Promise<void> {
    while (!this.#isOver) {
      // Without a connection the packet is lost at the sender.
      await this.#client.send(peer, PAYLOAD).catch(() => {})
      await new Promise(resolve => setTimeout(resolve, PACE_MS))
    }
  }

  async #receive(): Promise<void> {
    try {
      for await (const message of this.#client) {
        if (message.type === 'receivedPacket') this.received++
        if (message.type !== 'serverRestarting') continue
        this.promises.push(performance.now() + message.reconnectInMs + message.tryForMs)
      }
    } catch {
      // The client was closed.
    }
  }
}

export const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0)

/** In an idle relay, incoming packets equal outgoing plus dropped ones. */
export function expectBalance(words: DrainLine): void {
  const { packetsReceived, packetsForwardedIn, packetsSent, packetsForwardedOut, packetsDropped } = words
  expect(packetsReceived + packetsForwardedIn).toBe(
    packetsSent + packetsForwardedOut + sum(Object.values(packetsDropped)),
  )
}
