/** SIGTERM under load: clients move to the region's second node, and no packet is lost uncounted. */

import { expect, test } from 'vitest'
import { ResilientRegionClient } from '../../src/client/resilient/resilient-region.ts'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { type DrainLine, REGION_ID, TestRegion } from '../support/region.ts'

const CLIENTS = 12
const PAYLOAD = new Uint8Array(700)
/** Tolerance for a busy machine: only lost clients would exceed it. */
const SLACK_MS = PATIENCE_MS

/** A client that sends constantly, counts received packets, and records its connections. */
class LoadedClient {
  readonly key = NodePrivateKey.generate()
  received = 0
  /** Deadlines for being connected again, from announced restarts. */
  readonly promises: number[] = []
  /** When it started to connect to the second node. */
  movedAtMs: number | undefined
  node: string | undefined
  readonly #client: ResilientRegionClient
  #isOver = false
  #sending: Promise<void> = Promise.resolve()

  constructor({ map, ca, nodes: [, second] }: TestRegion) {
    this.#client = new ResilientRegionClient({
      map,
      regionId: REGION_ID,
      healthyAfterMs: 0,
      sendWaitMs: 0,
      createClient: getRegion => Client.forRegion(this.key, getRegion, { tlsConfig: { ca } }),
    })
    this.#client.events.on('state', ({ state, node }) => {
      this.node = state === 'connected' ? node : undefined
      if (state === 'connecting' && node === second.name) this.movedAtMs ??= performance.now()
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
      await new Promise(resolve => setTimeout(resolve, 2))
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

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0)
const drops = ({ packetsDropped }: DrainLine) => sum(Object.values(packetsDropped))

/** In an idle relay, incoming packets equal outgoing plus dropped ones. */
function expectBalance(words: DrainLine): void {
  const { packetsReceived, packetsForwardedIn, packetsSent, packetsForwardedOut } = words
  expect(packetsReceived + packetsForwardedIn).toBe(packetsSent + packetsForwardedOut + drops(words))
}

test('SIGTERM under load moves clients to the second node within the announced time, and every accepted packet is delivered or counted (P-093, P-174)', async () => {
  await using region = await TestRegion.start([
    '-drain-time',
    '3s',
    '-drain-try-for',
    '500ms',
    '-drain-deadline',
    '60s',
  ])
  const [first, second] = region.nodes
  for (const node of region.nodes) {
    await expect.poll(() => node.metric('derphttp_mesh_links_up')).toBe(1)
  }
  const clients = Array.from({ length: CLIENTS }, () => new LoadedClient(region))
  // One by one, so that none times out at the first node and switches to the second.
  for (const client of clients) await client.connect()
  const received = () => sum(clients.map(client => client.received))
  const allHave = (atLeast: number) => clients.every(client => client.received >= atLeast)
  for (const [at, client] of clients.entries()) {
    client.sendTo((clients[(at + 1) % CLIENTS] as LoadedClient).key.publicKey())
  }
  await expect.poll(() => allHave(50)).toBe(true)
  expect(new Set(clients.map(({ node }) => node))).toEqual(new Set([first.name]))

  first.program.child.kill('SIGTERM')
  const words = await first.drainLine()
  expect(await first.program.exit()).toBe(0)
  await expect.poll(() => clients.every(({ node }) => node === second.name)).toBe(true)
  for (const { promises, movedAtMs = Number.POSITIVE_INFINITY } of clients) {
    expect(promises).toHaveLength(1)
    expect(movedAtMs).toBeLessThan((promises[0] ?? 0) + SLACK_MS)
  }
  // Includes the mesh peer's link.
  expect(words).toMatchObject({ told: CLIENTS + 1, moved: CLIENTS + 1, cut: 0 })
  expectBalance(words)

  const before = clients.map(client => client.received)
  await expect.poll(() => clients.every((client, at) => client.received > (before[at] ?? 0) + 20)).toBe(true)
  await Promise.all(clients.map(client => client.stopSending()))
  // The clients have received everything that both relays sent.
  const sent = async () => words.packetsSent + (await second.metric('derp_packets_sent'))
  await expect.poll(async () => (await sent()) - received()).toBe(0)
  await Promise.all(clients.map(client => client.close()))

  second.program.child.kill('SIGTERM')
  const drainLine = await second.drainLine()
  expect(await second.program.exit()).toBe(0)
  expectBalance(drainLine)
  expect(words.packetsSent + drainLine.packetsSent).toBe(received())
  // Packets forwarded by the first, less those counted as lost, have arrived at the second.
  expect(drainLine.packetsForwardedIn).toBe(words.packetsForwardedOut - sum(Object.values(words.meshPacketsDropped)))
  // And vice versa, although the first was shutting down.
  expect(words.packetsForwardedIn).toBe(
    drainLine.packetsForwardedOut - sum(Object.values(drainLine.meshPacketsDropped)),
  )
})
