/** What a soaked relay has to bear: pairs that stay, clients that come and go, and some that read too slowly. */

import { setTimeout as delay } from 'node:timers/promises'
import { NodeClient } from '../../src/client/node/node-client.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { payload } from '../support/payload.ts'

/** Where clients connect. */
export interface SoakedTarget {
  readonly url: string
  readonly ca?: string
}

const RECONNECT_MS = 200
const PAIR_PAUSE_MS = 10
const PAIR_BYTES = 1_200
const CHURN_PACKETS = 20
const CHURN_BYTES = 400
/** Bytes for a client that does not read; far more than sockets hold. */
const BURST_PACKETS = 300
const BURST_BYTES = 30_000
const SLOW_PAUSE_MS = 500

const below = (limit: number) => Math.floor(Math.random() * limit)

/** Clients and what became of their packets. */
export class RelayLoad {
  readonly #targets: readonly SoakedTarget[]
  #stop = new AbortController()
  #running: Promise<void>[] = []
  /** Keys to which others send: those connected now, and some that were. */
  readonly #keys: NodePublicKey[] = []
  sent = 0
  received = 0
  logins = 0

  /** @param targets relays; those of a region serve each other's clients. */
  constructor(targets: readonly SoakedTarget[]) {
    this.#targets = targets
  }

  /** May be called again when stopped. */
  start({ pairs, churners, slow }: { pairs: number; churners: number; slow: number }): void {
    this.#stop = new AbortController()
    this.#running = []
    for (let n = 0; n < pairs; n++) this.#run(this.#pair())
    for (let n = 0; n < churners; n++) this.#run(this.#churn())
    for (let n = 0; n < slow; n++) this.#run(this.#slowReader())
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  #run(running: Promise<void>): void {
    this.#running.push(running)
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted
  }

  #client(key: NodePrivateKey): NodeClient {
    const { url, ca } = this.#targets[below(this.#targets.length)] as SoakedTarget
    return new NodeClient(key, url, { connectTimeoutMs: 5_000, ...(ca !== undefined && { tlsConfig: { ca } }) })
  }

  /** Two clients that talk all the time, and come back whenever they are cut off. */
  async #pair(): Promise<void> {
    const keys = [NodePrivateKey.generate(), NodePrivateKey.generate()] as const
    const [a, b] = keys
    await Promise.all([this.#talk(a, b.publicKey()), this.#talk(b, a.publicKey())])
  }

  async #talk(key: NodePrivateKey, peer: NodePublicKey): Promise<void> {
    while (!this.#isOver) {
      const client = this.#client(key)
      const receiving = this.#receive(client)
      try {
        await client.connect()
        this.logins++
        while (!this.#isOver) {
          await client.send(peer, payload(PAIR_BYTES, 1))
          this.sent++
          await delay(PAIR_PAUSE_MS)
        }
      } catch {
        await delay(RECONNECT_MS)
      }
      await client.close()
      await receiving
    }
  }

  async #receive(client: NodeClient): Promise<void> {
    try {
      for await (const { type } of client) if (type === 'receivedPacket') this.received++
    } catch {
      // Its sender sees the same.
    }
  }

  /** Clients that log in, send to whoever is or was there, and leave in the middle of it. */
  async #churn(): Promise<void> {
    while (!this.#isOver) {
      const key = NodePrivateKey.generate()
      const client = this.#client(key)
      try {
        await client.connect()
        this.logins++
        const receiving = this.#receive(client)
        this.#keys[below(100)] = key.publicKey()
        for (let n = 0; n < CHURN_PACKETS; n++) {
          const peer = this.#keys[below(this.#keys.length)] ?? NodePrivateKey.generate().publicKey()
          const sending = client.send(peer, payload(CHURN_BYTES, 1))
          // Some are closed before their packet is out.
          if (n === CHURN_PACKETS - 1) sending.catch(() => {})
          else await sending
          this.sent++
          await delay(below(20))
        }
        await client.close()
        await receiving
      } catch {
        await client.close()
        await delay(RECONNECT_MS)
      }
    }
  }

  /** A client that stops reading, and one that sends it more than its queue and the sockets hold. */
  async #slowReader(): Promise<void> {
    while (!this.#isOver) {
      const key = NodePrivateKey.generate()
      const [reader, sender] = [this.#client(key), this.#client(NodePrivateKey.generate())]
      try {
        await Promise.all([reader.connect(), sender.connect()])
        this.logins += 2
        for (let n = 0; n < BURST_PACKETS && !this.#isOver; n++) {
          await sender.send(key.publicKey(), payload(BURST_BYTES, 1))
          this.sent++
          if (n % 50 === 49) await delay(SLOW_PAUSE_MS)
        }
      } catch {
        await delay(RECONNECT_MS)
      }
      await Promise.all([reader.close(), sender.close()])
    }
  }
}
