/**
 * What a relay's knowledge of other relays' clients costs it, without sockets: prints JSON. Runs on the relay's runtime.
 */

import { NodePublicKey } from '../../src/keys/node-key.ts'
import { writeUint32 } from '../../src/lib/bytes.ts'
import { KEY_LENGTH } from '../../src/protocol/constants.ts'
import { Network } from '../../src/sim/network.ts'
import { Random } from '../../src/sim/random.ts'
import { SimBroker } from '../../src/sim/sim-bus.ts'
import { SimClient } from '../../src/sim/sim-client.ts'
import { SimRelay } from '../../src/sim/sim-relay.ts'
import { VirtualClock } from '../../src/sim/virtual-clock.ts'

const KEYS = 200_000
const START_MS = 6_000

export interface StateCosts {
  readonly routeBytes: number
  readonly meshClientBytes: number
  readonly meshPresenceMicros: number
}

function keyOf(kind: number, n: number): NodePublicKey {
  const bytes = new Uint8Array(KEY_LENGTH).fill(kind)
  writeUint32(bytes, 1, n)
  return NodePublicKey.fromBytes(bytes)
}

/** Two relays that know each other. */
function startPair(): readonly [SimRelay, SimRelay] {
  const clock = new VirtualClock()
  const network = new Network(clock, new Random(1), { minMs: 0.1, maxMs: 0.2 })
  const broker = new SimBroker(network)
  const relays: SimRelay[] = []
  const ports = { network, broker, clock, life: 1, relay: (id: string) => relays.find(relay => relay.id === id) }
  const [one, other] = [new SimRelay(keyOf(2, 1), ports), new SimRelay(keyOf(2, 2), ports)]
  relays.push(one, other)
  clock.advance(START_MS)
  return [one, other]
}

/** Resident bytes and microseconds that `fn` adds for each key. */
function perKey(fn: (key: NodePublicKey) => void): { readonly bytes: number; readonly micros: number } {
  globalThis.gc?.()
  const [before, beganAtMs] = [process.memoryUsage.rss(), performance.now()]
  for (let n = 0; n < KEYS; n++) fn(keyOf(1, n))
  const tookMs = performance.now() - beganAtMs
  globalThis.gc?.()
  return { bytes: (process.memoryUsage.rss() - before) / KEYS, micros: (tookMs / KEYS) * 1_000 }
}

const [one, other] = startPair()
const route = perKey(key => one.backplane.noteSource(other.key, key.bytes, 0))
if (one.backplane.routes.openRoutes !== KEYS) throw new Error('measure routes: not all were created')
const [peer] = startPair()
const ignored = { onPacket: () => {}, onPeerLeft: () => {}, onNotHere: () => {} }
const destination = new SimClient(0, keyOf(3, 0), peer, ignored)
const link = peer.addLink({ destinationFor: () => destination })
const presence = perKey(key => link.announce(key))
const costs: StateCosts = {
  routeBytes: route.bytes,
  meshClientBytes: presence.bytes,
  meshPresenceMicros: presence.micros,
}
process.stdout.write(`${JSON.stringify(costs)}\n`)
