/** A few simulated relays of a region, moved by hand: the same delay everywhere, and a record of all messages. */

import { decodeMessage } from '../../src/backplane/decode.ts'
import type { KeyTimes } from '../../src/backplane/key-times.ts'
import type { InMessage } from '../../src/backplane/message.ts'
import { NodePublicKey } from '../../src/keys/node-key.ts'
import { Network } from '../../src/sim/network.ts'
import { Random } from '../../src/sim/random.ts'
import { SimBroker } from '../../src/sim/sim-bus.ts'
import { type ClientObserver, SimClient } from '../../src/sim/sim-client.ts'
import { SimRelay } from '../../src/sim/sim-relay.ts'
import { VirtualClock } from '../../src/sim/virtual-clock.ts'

/** Milliseconds until all relays have joined. */
const JOIN_MS = 2_000

export interface SimRegionOptions {
  /** Default: 1 ms. */
  readonly delayMs?: number
  /** Milliseconds that each relay's wall clock is ahead. */
  readonly aheadMs?: readonly number[]
  readonly maxRoutes?: number
}

/** A message on its way; `to` is undefined if it is told to all. */
export interface SeenMessage {
  readonly from: SimRelay | undefined
  readonly to: SimRelay | undefined
  readonly message: InMessage
}

/** The `n`th key of clients. */
export function clientKey(n: number): NodePublicKey {
  return NodePublicKey.fromBytes(
    Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 1 : at === 2 ? n >> 8 : n & 255)),
  )
}

export class SimRegion implements ClientObserver {
  readonly clock: VirtualClock = new VirtualClock()
  readonly network: Network
  readonly broker: SimBroker
  readonly relays: SimRelay[] = []
  /** How far the wall clock of each relay is ahead, in the order of their start; may be changed. */
  readonly skews: { ms: number }[] = []
  /** What clients got, as text. */
  readonly log: string[] = []
  readonly #options: SimRegionOptions
  readonly #messages: SeenMessage[] = []
  readonly #sent = new Map<SimClient, number>()
  #clients = 0
  #lives = 0

  /** @param relays how many; all have joined. */
  constructor(relays: number, options: SimRegionOptions = {}) {
    const { delayMs = 1 } = options
    this.#options = options
    this.network = new Network(this.clock, new Random(1), { minMs: delayMs, maxMs: delayMs })
    this.broker = new SimBroker(this.network)
    this.broker.tamper = (bytes, from, to) => {
      const message = decodeMessage(bytes)
      if (message !== undefined) this.#messages.push({ from: this.#byId(from), to: this.#byId(to), message })
      return bytes
    }
    this.network.onCut = (a, b) => {
      this.#byId(a)?.links.get(b)?.cut()
      this.#byId(b)?.links.get(a)?.cut()
    }
    for (let n = 0; n < relays; n++) this.relays.push(this.start(n))
    this.clock.advance(JOIN_MS)
    this.takeMessages()
  }

  relay(n: number): SimRelay {
    const relay = this.relays[n]
    if (relay === undefined) throw new Error(`use relay ${n}: there is none`)
    return relay
  }

  /** Starts the relay with that number, in the place of the one before. */
  start(n: number, aheadMs: number = this.#options.aheadMs?.[n] ?? 0): SimRelay {
    const { maxRoutes } = this.#options
    const skew = { ms: aheadMs }
    this.skews.push(skew)
    const wallNow = () => this.clock.wallNow() + skew.ms
    return new SimRelay(NodePublicKey.fromBytes(new Uint8Array(32).fill(n + 1).fill(2, 0, 1)), {
      network: this.network,
      broker: this.broker,
      clock: { ...this.clock.skewed(0), wallNow },
      life: ++this.#lives,
      relay: id => this.relays.find(relay => relay.id === id && relay.isRunning),
      ...(maxRoutes !== undefined && { maxRoutes }),
    })
  }

  /** Kills a relay and starts it anew. */
  restart(n: number): SimRelay {
    this.relay(n).kill()
    const relay = this.start(n)
    this.relays[n] = relay
    return relay
  }

  /** A client with the `key`th key logs in at a relay; everything comes to rest. */
  login(key: number, relay: number, restMs = 50): SimClient {
    const client = new SimClient(this.#clients++, clientKey(key), this.relay(relay), this)
    this.relay(relay).login(client)
    this.clock.advance(restMs)
    return client
  }

  /** Ends a connection; everything comes to rest. */
  logout(client: SimClient): void {
    client.close()
    this.clock.advance(50)
  }

  /** Sends packets, numbered on from the last; nothing has arrived yet. */
  send(client: SimClient, key: number, packets = 1): void {
    for (let n = 0; n < packets; n++) {
      const number = (this.#sent.get(client) ?? 0) + 1
      this.#sent.set(client, number)
      client.send(clientKey(key), number)
    }
  }

  /** Sends a packet, lets everything come to rest, and returns what clients got since the last look. */
  exchange(client: SimClient, key: number): string[] {
    this.send(client, key)
    this.clock.advance(50)
    return this.take()
  }

  take(): string[] {
    return this.log.splice(0)
  }

  /** Messages between relays since the last look. */
  takeMessages(): SeenMessage[] {
    return this.#messages.splice(0)
  }

  /** The same of one type, as text: who tells which keys to whom. */
  told(type: InMessage['type']): string[] {
    return this.takeMessages()
      .filter(({ message }) => message.type === type)
      .map(({ from, to, message }) => {
        const receiver = to === undefined ? 'all' : this.relays.indexOf(to)
        return `${from && this.relays.indexOf(from)} tells ${receiver}${keysOf(message)}`
      })
  }

  onPacket(client: SimClient, from: number, sequence: number): void {
    this.log.push(`${client.number} gets ${sequence} of ${from}`)
  }

  onPeerLeft(client: SimClient, peer: NodePublicKey): void {
    this.log.push(`${client.number} loses ${peer.bytes[1]}`)
  }

  onNotHere(client: SimClient, peer: NodePublicKey): void {
    this.log.push(`${client.number} misses ${peer.bytes[1]}`)
  }

  #byId(id: string | undefined): SimRelay | undefined {
    return this.relays.find(relay => relay.id === id)
  }
}

function keysOf(message: InMessage): string {
  if (message.type === 'superseded') return ` ${message.key.bytes[1]}`
  if (message.type === 'find') return message.keys.map(({ bytes }) => ` ${bytes[1]}`).join('')
  if (message.type !== 'here' && message.type !== 'gone' && message.type !== 'found') return ''
  return textOf(message.keys)
}

function textOf(keys: KeyTimes): string {
  return Array.from({ length: keys.length }, (_, n) => ` ${keys.keyOf(n).bytes[1]}`).join('')
}
