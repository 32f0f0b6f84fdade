import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeFrame } from '../../src/protocol/encode.ts'
import type { FrameType } from '../../src/protocol/frame-type.ts'
import { startDebugServer } from '../support/debug-server.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import type { RawClient } from '../support/raw-client.ts'
import { settle, until } from '../support/settle.ts'

const MESH_KEY = 'ab'.repeat(32)
/** A frame with this payload is charged 1000 bytes. */
const PAYLOAD = new Uint8Array(968)
const NOBODY = NodePrivateKey.generate().publicKey()

/** A client that keeps `window` frames on their way, and learns of each `roundTripMs` after it was read. */
class WindowedSender {
  readonly #relay: MemoryRelay
  readonly #client: RawClient
  readonly #payload: Uint8Array
  readonly #window: number
  readonly #roundTripMs: number
  #sent = 0
  /** Frames that were read, by when. */
  readonly #reads: { readonly atMs: number; readonly frames: number }[] = []

  private constructor(relay: MemoryRelay, client: RawClient, bytes: number, window: number, roundTripMs: number) {
    this.#relay = relay
    this.#client = client
    this.#payload = new Uint8Array(bytes - 32)
    this.#window = window
    this.#roundTripMs = roundTripMs
  }

  static async start(relay: MemoryRelay, bytes: number, window: number, roundTripMs: number): Promise<WindowedSender> {
    return new WindowedSender(relay, await relay.login(), bytes, window, roundTripMs)
  }

  get receivedBytes(): number {
    return this.#received * (this.#payload.length + 32)
  }

  /** Sends what the window allows now. */
  send(): void {
    const nowMs = this.#relay.clock.now()
    this.#reads.push({ atMs: nowMs, frames: this.#received })
    while (this.#reads[1] !== undefined && this.#reads[1].atMs <= nowMs - this.#roundTripMs) this.#reads.shift()
    const known = (this.#reads[0]?.atMs ?? nowMs) <= nowMs - this.#roundTripMs ? (this.#reads[0]?.frames ?? 0) : 0
    for (; this.#sent < known + this.#window; this.#sent++) this.#client.packet(NOBODY, this.#payload)
  }

  get #received(): number {
    const own = [...this.#relay.core.sessions].find(({ key }) => key.equals(this.#client.publicKey))
    return own?.tally.packetsReceived ?? 0
  }
}

test('relay divides its total rate equally among 50 clients of all packet sizes and windows, and drops nothing (P-105)', async () => {
  const [rate, seconds] = [500_000, 10]
  const relay = new MemoryRelay({ totalRate: rate })
  const sizes = [64, 300, 1_280, 4_000, 9_000]
  const senders: WindowedSender[] = []
  for (let n = 0; n < 50; n++) {
    const bytes = sizes[n % sizes.length] as number
    const roundTripMs = [20, 60, 100][n % 3] as number
    // The smallest are just sufficient for a share.
    const window = Math.ceil(
      ([1.5, 4, 20][Math.floor(n / 5) % 3] as number) * ((rate / 50_000) * (roundTripMs / bytes)),
    )
    senders.push(await WindowedSender.start(relay, bytes, window, roundTripMs))
  }
  for (let ms = 0; ms < seconds * 1_000; ms += 10) {
    for (const sender of senders) sender.send()
    await settle(2)
    relay.clock.advance(10)
  }
  const received = senders.map(({ receivedBytes }) => receivedBytes)
  const total = received.reduce((a, b) => a + b, 0)
  expect(total ** 2 / (50 * received.reduce((a, b) => a + b ** 2, 0))).toBeGreaterThan(0.95)
  expect(total).toBeGreaterThan(0.95 * rate * seconds)
  expect(total).toBeLessThan(1.01 * rate * seconds + 9_000)
  expect(relay.core.counters.dropped.queue_head.other.packets).toBe(0)
})

test('relay applies a changed total rate to waiting clients, and exempts mesh peers (P-105)', async () => {
  const relay = new MemoryRelay({ totalRate: 1_000, meshKey: MeshKey.parse(MESH_KEY) })
  const [a, meshPeer] = [await relay.login(), await relay.login({ info: { meshKey: MESH_KEY } })]
  for (let n = 0; n < 2; n++) a.packet(a.publicKey, PAYLOAD)
  await until(() => relay.core.counters.totalRateWaits === 1, 'the client is waiting')
  for (let n = 0; n < 20; n++) meshPeer.sendBytes(encodeFrame(0xee as FrameType, PAYLOAD))
  expect(await meshPeer.sync()).toEqual([])
  relay.core.totalRate = 0
  expect((await a.sync()).length).toBe(2)
})

test('relay forgets a client that leaves while it waits for its share (P-105)', async () => {
  const relay = new MemoryRelay({ totalRate: 1_000 })
  const a = await relay.login()
  for (let n = 0; n < 2; n++) a.packet(a.publicKey, PAYLOAD)
  await until(() => relay.core.fairShare?.waiting === 1, 'the client is waiting')
  a.close()
  await until(() => relay.core.fairShare?.waiting === 0, 'nobody is waiting')
})

test('pages show which clients are held back by the total rate, the longest first (P-105, P-189)', async () => {
  const relay = new MemoryRelay({ totalRate: 10_000 })
  await using server = await startDebugServer(relay)
  const get = async (query: string) => (await fetch(`${server.url}/debug/clients/${query}`)).text()
  expect(await get('')).not.toContain('-total-rate')
  const [idle, sender] = [await relay.login(), await relay.login()]
  for (let n = 0; n < 4; n++) sender.packet(NOBODY, PAYLOAD)
  await until(() => relay.core.fairShare?.waiting === 1, 'the client is waiting')
  expect(await get('')).toContain('1 connections are held back by -total-rate now')
  for (let ms = 0; ms < 500; ms += 10) {
    relay.clock.advance(10)
    await settle()
  }
  expect(await get('')).toContain('0 connections are held back by -total-rate now')
  const { clients } = JSON.parse(await get('?all&sort=-held&format=json'))
  expect(clients.map(({ key }: { key: string }) => key)).toEqual(
    [sender, idle].map(({ publicKey }) => String(publicKey)),
  )
  expect(clients[0].heldBackMs).toBeGreaterThanOrEqual(100)
  expect(clients[1].heldBackMs).toBe(0)
  expect(await get('?all&sort=-held')).toMatch(/<td>0\.\d s<\/td>/)
})

test('relay with a changed total rate keeps who waits for a share, and in which order (P-105)', () => {
  const { core } = new MemoryRelay({ totalRate: 1_000 })
  const before = core.fairShare
  core.totalRate = 2_000
  expect([core.fairShare === before, core.fairShare?.bytesPerSecond]).toEqual([true, 2_000])
  core.totalRate = 0
  expect(core.fairShare).toBeUndefined()
})
