/** How long a region needs after a failure until all clients reach each other again, in virtual time. */

import { NodePublicKey } from '../../keys/node-key.ts'
import { KEY_LENGTH } from '../../protocol/constants.ts'
import { type Delay, Network } from '../network.ts'
import { Random } from '../random.ts'
import { SimBroker } from '../sim-bus.ts'
import { type ClientObserver, SimClient } from '../sim-client.ts'
import { SimRelay } from '../sim-relay.ts'
import { VirtualClock } from '../virtual-clock.ts'
import type { RelayStart } from './costs.ts'

/** `relay`: one is killed and restarted, and its clients return to it. `nats`: NATS is down for a while. */
export type Failure = 'relay' | 'nats'

export interface HealOptions {
  readonly failure: Failure
  readonly relays: number
  readonly start: RelayStart
  readonly natsGoneMs: number
  readonly seed: number
  readonly delay: Delay
}

/** Clients whose relay fails, or which log in while NATS is gone. */
export const HEAL_CLIENTS = 5
/** Milliseconds between the packets by which clients try to reach another. */
export const PROBE_MS = 20
const START_MS = 6_000
const MAX_HEAL_MS = 30_000
/** How much faster or slower than usual a relay starts at most, as a share. */
const PACE_RANGE = 0.1
/** Milliseconds between the attempts of a NATS client to connect again. */
const RECONNECT = { minMs: 250, maxMs: 500 }

export class HealRun implements ClientObserver {
  readonly #options: HealOptions
  readonly #random: Random
  readonly #clock = new VirtualClock()
  readonly #network: Network
  readonly #broker: SimBroker
  readonly #relays: SimRelay[]
  /** One at each relay except the first. */
  readonly #probers: readonly SimClient[]
  /** Pairs of prober and client that have not reached each other since the failure. */
  readonly #open = new Set<string>()
  #connections = 0
  #lives = 0

  constructor(options: HealOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.#network = new Network(this.#clock, this.#random, options.delay)
    this.#broker = new SimBroker(this.#network)
    this.#relays = Array.from({ length: options.relays }, (_, n) => this.#start(n))
    this.#clock.advance(START_MS)
    this.#probers = this.#relays.slice(1).map((relay, n) => this.#login(keyOf(3, n), relay))
  }

  /** Milliseconds from the failure of the relay, or the return of NATS, until all probers reach all clients. */
  run(): number {
    const { failure, natsGoneMs } = this.#options
    if (failure === 'relay') {
      this.#loginClients()
      this.#expectAll()
      this.#probe()
      this.#killFirst()
    } else {
      for (const { bus } of this.#relays) bus.disconnect()
      this.#clock.advance(natsGoneMs / 2)
      this.#loginClients()
      this.#clock.advance(natsGoneMs / 2)
      for (const { bus } of this.#relays) this.#clock.after(this.#reconnectMs(), () => bus.reconnect())
    }
    this.#expectAll()
    return this.#probe()
  }

  onPacket(to: SimClient, from: number): void {
    const n = Array.from({ length: HEAL_CLIENTS }, (_, at) => keyOf(1, at)).findIndex(key => key.equals(to.key))
    this.#open.delete(pairOf(from, n))
  }

  onPeerLeft(): void {}

  onNotHere(): void {}

  #expectAll(): void {
    for (const prober of this.#probers) {
      for (let n = 0; n < HEAL_CLIENTS; n++) this.#open.add(pairOf(prober.number, n))
    }
  }

  #probe(): number {
    const beganAtMs = this.#clock.now()
    while (this.#open.size > 0 && this.#clock.now() - beganAtMs < MAX_HEAL_MS) {
      for (const prober of this.#probers) {
        for (let n = 0; n < HEAL_CLIENTS; n++) if (this.#open.has(pairOf(prober.number, n))) prober.send(keyOf(1, n), 1)
      }
      this.#clock.advance(PROBE_MS)
    }
    return this.#clock.now() - beganAtMs
  }

  #killFirst(): void {
    this.#relays[0]?.kill()
    for (const relay of this.#relays.slice(1)) for (const link of relay.links.values()) link.cut()
    const { listens, hasClients, hasNats } = this.#options.start
    // No two starts take the same time.
    const pace = 1 + (2 * this.#random.next() - 1) * PACE_RANGE
    this.#clock.after(listens * pace, () => {
      const relay = this.#start(0, true)
      this.#relays[0] = relay
      this.#clock.after((hasClients - listens) * pace, () => this.#loginClients())
      this.#clock.after((hasNats - listens) * pace, () => relay.bus.reconnect())
    })
  }

  #loginClients(): void {
    for (let n = 0; n < HEAL_CLIENTS; n++) this.#login(keyOf(1, n), this.#relays[0] as SimRelay)
  }

  #login(key: NodePublicKey, relay: SimRelay): SimClient {
    const client = new SimClient(this.#connections++, key, relay, this)
    relay.login(client)
    return client
  }

  #start(n: number, isBusDown = false): SimRelay {
    return new SimRelay(keyOf(2, n), {
      network: this.#network,
      broker: this.#broker,
      clock: this.#clock,
      life: ++this.#lives,
      isBusDown,
      relay: id => this.#relays.find(relay => relay.id === id && relay.isRunning),
    })
  }

  /** When the next attempt of a NATS client comes: a long pause is more likely to be under way than a short one. */
  #reconnectMs(): number {
    const { minMs, maxMs } = RECONNECT
    let pauseMs: number
    do pauseMs = minMs + this.#random.next() * (maxMs - minMs)
    while (this.#random.next() * maxMs > pauseMs)
    return this.#random.next() * pauseMs
  }
}

const pairOf = (prober: number, client: number) => `${prober} ${client}`

function keyOf(kind: number, n: number): NodePublicKey {
  return NodePublicKey.fromBytes(new Uint8Array(KEY_LENGTH).fill(n + 1).fill(kind, 0, 1))
}
