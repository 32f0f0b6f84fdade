/** What a relay tells its region, and what it lets the region do: on one thread. */

import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import type { Region } from '../../src/server/region-ports.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { settle } from '../support/settle.ts'

const MESH_KEY = '3d'.repeat(32)
const DISCO = Uint8Array.from([...encodeUtf8('TS\u{1F4AC}'), ...new Uint8Array(56)])
const SEND_PACKET_OVERHEAD = 37

/** A region that notes what it is told. */
class TestRegion implements Region {
  readonly log: string[] = []
  /** Whether it takes packets for unknown keys. */
  takes = true
  readonly relays: NodePublicKey[] = []
  readonly #names: Map<string, string>

  constructor(names: Record<string, NodePublicKey>) {
    this.#names = new Map(Object.entries(names).map(([name, key]) => [key.toHex(), name]))
  }

  take(): string[] {
    return this.log.splice(0)
  }

  clientConnected({ key }: { key: NodePublicKey }): void {
    this.log.push(`${this.#name(key)} connected`)
  }

  clientDisconnected({ key }: { key: NodePublicKey }): void {
    this.log.push(`${this.#name(key)} disconnected`)
  }

  takeUnknown(source: { key: NodePublicKey }, buffer: Uint8Array, start: number, end: number, kind: string): boolean {
    const text = new TextDecoder().decode(buffer.subarray(start + SEND_PACKET_OVERHEAD, end))
    this.log.push(`${this.#name(source.key)} sends ${kind === 'disco' ? kind : text}`)
    return this.takes
  }

  noteSource(relay: NodePublicKey, buffer: Uint8Array, keyAt: number): void {
    const source = Buffer.from(buffer.subarray(keyAt, keyAt + 32)).toString('hex')
    this.log.push(`${this.#name(relay)} forwards from ${this.#names.get(source)}`)
  }

  missPeer(peer: NodePublicKey): void {
    this.log.push(`nothing known of ${this.#name(peer)}`)
  }

  isRelay(key: NodePublicKey): boolean {
    return this.relays.some(relay => relay.equals(key))
  }

  closePeer(peer: NodePublicKey): void {
    this.log.push(`close ${this.#name(peer)}`)
  }

  #name(key: NodePublicKey): string | undefined {
    return this.#names.get(key.toHex())
  }
}

async function setUp() {
  const relay = new MemoryRelay({ meshKey: MeshKey.parse(MESH_KEY) })
  const keys = { a: NodePrivateKey.generate(), b: NodePrivateKey.generate(), m: NodePrivateKey.generate() }
  const [a, b, m] = [keys.a.publicKey(), keys.b.publicKey(), keys.m.publicKey()]
  const far = NodePrivateKey.generate().publicKey()
  const region = new TestRegion({ a, b, m, far })
  const loginMesh = () => relay.login({ privateKey: keys.m, info: { meshKey: MESH_KEY } })
  return { relay, region, keys, far, loginMesh }
}

test('a relay reports its clients, connects and disconnects to its region (P-304)', async () => {
  const { relay, region, keys } = await setUp()
  const first = await relay.login({ privateKey: keys.a })
  relay.core.joinRegion(region)
  await relay.login({ privateKey: keys.b })
  first.close()
  await settle()
  expect(region.take()).toEqual(['a connected', 'b connected', 'a disconnected'])
  expect(relay.core.region).toBe(region)
})

test('a relay passes packets without a route to its region; rejected ones are dropped and answered (P-308)', async () => {
  const { relay, region, keys, far } = await setUp()
  relay.core.joinRegion(region)
  const client = await relay.login({ privateKey: keys.a })
  region.take()
  client.packet(far, 'hello')
  expect(await client.sync()).toEqual([])
  region.takes = false
  client.packet(far, DISCO)
  expect(await client.sync()).toEqual([{ type: 'peerGone', peer: far, reason: 1 }])
  expect(region.take()).toEqual(['a sends hello', 'a sends disco'])
  const { dropped } = relay.core.counters
  expect([dropped.unknown_dest.other.packets, dropped.unknown_dest.disco.packets]).toEqual([0, 1])
})

test('a relay reports the source of a forwarded packet to its region before delivering the packet (P-314)', async () => {
  const { relay, region, keys, far, loginMesh } = await setUp()
  relay.core.joinRegion(region)
  const [client, meshPeer] = [await relay.login({ privateKey: keys.a }), await loginMesh()]
  region.take()
  meshPeer.send({ type: 'forwardPacket', source: far, destination: client.publicKey, data: DISCO })
  expect(await client.messageOf('receivedPacket')).toMatchObject({ source: far })
  expect(region.take()).toEqual(['m forwards from far', 'nothing known of far'])
  expect(relay.core.isAwaited(far.bytes, 0)).toBe(true)
  relay.core.keyLeft(far)
  expect(await client.message()).toEqual({ type: 'peerGone', peer: far, reason: 0 })
  expect(relay.core.isAwaited(far.bytes, 0)).toBe(false)
})

test('a relay answers each misrouted packet from another relay of its region, whatever its content (P-311)', async () => {
  const { relay, region, far, loginMesh } = await setUp()
  relay.core.joinRegion(region)
  const meshPeer = await loginMesh()
  const astray = {
    type: 'forwardPacket',
    source: meshPeer.publicKey,
    destination: far,
    data: encodeUtf8('text'),
  } as const
  meshPeer.send(astray)
  expect(await meshPeer.sync()).toEqual([])
  region.relays.push(meshPeer.publicKey)
  for (let n = 0; n < 5; n++) meshPeer.send(astray)
  const notHere = { type: 'peerGone', peer: far, reason: 1 }
  expect(await meshPeer.sync()).toEqual([notHere, notHere, notHere, notHere, notHere])
  const { counters } = relay.core
  expect([counters.dropped.unknown_dest_on_fwd.other.packets, counters.peerGoneNotHereFrames]).toEqual([6, 5])
})

test('ClosePeer is passed to the region, but from the region it closes only local connections (P-073, P-323)', async () => {
  const { relay, region, keys, loginMesh } = await setUp()
  relay.core.joinRegion(region)
  const [client, other, meshPeer] = [
    await relay.login({ privateKey: keys.a }),
    await relay.login({ privateKey: keys.b }),
    await loginMesh(),
  ]
  region.take()
  meshPeer.send({ type: 'closePeer', peer: client.publicKey })
  await client.closed()
  expect(region.take()).toEqual(['close a', 'a disconnected'])
  relay.core.closePeer(other.publicKey)
  await other.closed()
  expect(region.take()).toEqual(['b disconnected'])
  expect(relay.core.destinationOf(other.publicKey.bytes, 0)).toBeUndefined()
  expect(relay.core.destinationOf(meshPeer.publicKey.bytes, 0)?.local).toBeDefined()
})
