/**
 * A random schedule: clients with a few keys log in, send and leave at a few relays, while links and messages are cut and
 * relays die. At the end everything is repaired, and the invariants are checked.
 *
 * Clauses: P-304, P-306 to P-312, P-314 to P-317.
 */

import type { RelayId } from '../backplane/stamp.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import { KEY_LENGTH } from '../protocol/constants.ts'
import { Network } from './network.ts'
import { Random } from './random.ts'
import { SimBroker } from './sim-bus.ts'
import { type ClientHost, type ClientObserver, SimClient } from './sim-client.ts'
import { SimRelay } from './sim-relay.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Size and duration of schedules. */
export interface ScheduleOptions {
  readonly relays: number
  readonly keys: number
  readonly steps: number
}

const USUAL_SCHEDULE: ScheduleOptions = { relays: 4, keys: 4, steps: 60 }

/** Milliseconds until all relays have joined. */
const START_MS = 4_000
/** Milliseconds until a repaired region is stable. */
const HEAL_MS = 30_000
/** Milliseconds until a packet in a repaired region is delivered or dropped, including a search. */
const REST_MS = 300
/** Maximum transit time of a packet in milliseconds: it may arrive after the notification that its sender has left. */
const LATE_MS = 1_000

interface Conn {
  readonly client: SimClient
  /** The last sequence number sent to each key. */
  readonly sent: Map<NodePublicKey, number>
  /** Arrival time of the first packet from each key. */
  readonly heard: Map<NodePublicKey, number>
  /** Peers reported as gone, as text. */
  readonly told: Set<string>
}

export class Schedule implements ClientObserver {
  readonly broker: SimBroker
  readonly #options: ScheduleOptions
  readonly #random: Random
  readonly #clock = new VirtualClock()
  readonly #network: Network
  readonly #relays: SimRelay[] = []
  readonly #keys: readonly NodePublicKey[]
  /** All connections ever made, by number. */
  readonly #conns: Conn[] = []
  readonly #problems: string[] = []
  /** The last sequence number received, by sender's and receiver's connection. */
  readonly #received = new Map<string, number>()
  /** When the last connection of each key ended. */
  readonly #ended = new Map<NodePublicKey, number>()
  #lastReceiver: SimClient | undefined
  #lives = 0
  #sent = 0
  #delivered = 0
  /** Packets dropped by killed relays. */
  #droppedBefore = 0

  constructor(seed: number, options: ScheduleOptions = USUAL_SCHEDULE) {
    this.#options = options
    this.#random = new Random(seed)
    this.#network = new Network(this.#clock, this.#random, { minMs: 0.1, maxMs: 8 })
    this.broker = new SimBroker(this.#network)
    this.#keys = Array.from({ length: options.keys }, (_, n) => keyOf(1, n))
    this.#network.onCut = (a, b) => {
      this.#relayOf(a)?.links.get(b)?.cut()
      this.#relayOf(b)?.links.get(a)?.cut()
    }
    for (let n = 0; n < options.relays; n++) this.#relays.push(this.#start(n))
  }

  /** Runs it; returns the violated invariants. */
  run(): readonly string[] {
    this.#clock.advance(START_MS)
    for (let step = 0; step < this.#options.steps; step++) this.#step()
    this.#heal()
    this.#clock.advance(HEAL_MS)
    this.#checkPeersGone()
    for (const relay of this.#relays) this.#checkNewest(relay)
    for (const [n, relay] of this.#relays.entries()) this.#checkRoutes(relay, keyOf(3, n))
    this.#checkAccounts()
    return this.#problems
  }

  onPacket(to: SimClient, from: number, sequence: number): void {
    this.#delivered++
    this.#lastReceiver = to
    const flow = `${from} to ${to.number}`
    const last = this.#received.get(flow) ?? 0
    if (sequence <= last) this.#problems.push(`packet ${sequence} came after ${last} from connection ${flow}`)
    this.#received.set(flow, sequence)
    const [sender, receiver] = [this.#conns[from], this.#conns[to.number]]
    if (sender === undefined || receiver?.heard.has(sender.client.key) !== false) return
    // A packet that arrives after its sender has left creates a route that only ends when used or idle.
    receiver.heard.set(sender.client.key, sender.client.isClosed ? Number.POSITIVE_INFINITY : this.#clock.now())
  }

  onPeerLeft(client: SimClient, peer: NodePublicKey): void {
    this.#conns[client.number]?.told.add(peer.toHex())
  }

  onNotHere(): void {}

  #step(): void {
    const random = this.#random
    const kind = random.below(100)
    if (kind < 22) this.#login(random.pick(this.#keys), random.pick(this.#relays))
    else if (kind < 34) this.#logout()
    else if (kind < 72) this.#sendSome()
    else if (kind < 90) this.#disturb(kind)
    else if (kind < 97) this.#clock.advance(random.below(200))
    else this.#clock.advance(random.below(8_000))
    // Simultaneous logins have no order.
    this.#clock.advance(1 + random.below(12))
  }

  #disturb(kind: number): void {
    const relay = this.#random.pick(this.#relays)
    const other = this.#random.pick(this.#relays)
    if (kind < 75) this.#network.cutLink(relay.id, other.id)
    else if (kind < 78) this.#network.cutMessages(relay.id, other.id)
    else if (kind < 80) relay.bus.disconnect()
    else if (kind < 82) relay.bus.reconnect()
    else if (kind < 83) relay.bus.isFull = !relay.bus.isFull
    else if (kind < 84) this.#heal()
    else if (kind < 86) this.#restart(this.#relays.indexOf(relay))
    else for (const link of relay.links.values()) link.closeIfIdle()
  }

  #heal(): void {
    this.#network.heal()
    for (const { bus } of this.#relays) {
      bus.isFull = false
      bus.reconnect()
    }
  }

  #login(key: NodePublicKey, relay: SimRelay): Conn {
    const client = new SimClient(this.#conns.length, key, relay, this)
    const conn: Conn = { client, sent: new Map(), heard: new Map(), told: new Set() }
    this.#conns.push(conn)
    relay.login(client)
    return conn
  }

  #logout(): void {
    const open = this.#openConns()
    if (open.length === 0) return
    const { client } = this.#random.pick(open)
    client.close()
    this.#ended.set(client.key, this.#clock.now())
  }

  #sendSome(): void {
    const open = this.#openConns()
    if (open.length === 0) return
    const conn = this.#random.pick(open)
    const to = this.#random.pick(this.#keys)
    for (let left = 1 + this.#random.below(5); left > 0; left--) this.#send(conn, to)
  }

  #send({ client, sent }: Conn, to: NodePublicKey): void {
    const sequence = (sent.get(to) ?? 0) + 1
    sent.set(to, sequence)
    this.#sent++
    client.send(to, sequence)
  }

  #restart(n: number): void {
    const relay = this.#relays[n] as SimRelay
    for (const { key } of relay.clients) this.#ended.set(key, this.#clock.now())
    relay.kill()
    this.#droppedBefore += relay.dropped
    this.#clock.advance(1 + this.#random.below(100))
    this.#relays[n] = this.#start(n)
  }

  #start(n: number): SimRelay {
    return new SimRelay(keyOf(2, n), {
      network: this.#network,
      broker: this.broker,
      clock: this.#clock,
      life: ++this.#lives,
      relay: id => this.#relayOf(id),
    })
  }

  /** The running relay with that id. */
  #relayOf(id: RelayId): SimRelay | undefined {
    return this.#relays.find(relay => relay.id === id && relay.isRunning)
  }

  #openConns(): Conn[] {
    return this.#conns.filter(({ client }) => !client.isClosed)
  }

  /** Connections that received from a key in time must have been notified that it left (P-315). */
  #checkPeersGone(): void {
    const present = new Set(this.#openConns().map(({ client }) => client.key))
    for (const { client, heard, told } of this.#openConns()) {
      for (const [peer, atMs] of heard) {
        if (present.has(peer) || told.has(peer.toHex())) continue
        if ((this.#ended.get(peer) ?? 0) - atMs < LATE_MS) continue
        this.#problems.push(`connection ${client.number} was not told that ${peer.shortString()} has left`)
      }
    }
  }

  /** Only the relay with the newest login of a key considers itself that (P-304). */
  #checkNewest(relay: SimRelay): void {
    for (const { key } of relay.clients) {
      const isSuperseded = relay.backplane.routes.get(key.bytes)?.isNewest === true
      const newest = this.#newest(key)
      if (isSuperseded === (newest === relay)) {
        this.#problems.push(`${relay.id} ${isSuperseded ? 'gives up' : 'keeps'} ${key.shortString()} of ${newest?.id}`)
      }
    }
  }

  /** The relay with the newest login of a key. */
  #newest(key: NodePublicKey): ClientHost | undefined {
    return this.#openConns().findLast(({ client }) => client.key.equals(key))?.client.relay
  }

  /** Packets from any relay reach the relay with the newest login of each key (P-304). */
  #checkRoutes(relay: SimRelay, probeKey: NodePublicKey): void {
    const probe = this.#login(probeKey, relay)
    for (const key of this.#keys) {
      // The first may be misrouted, which repairs the route (P-311).
      for (let n = 0; n < 2; n++) {
        this.#lastReceiver = undefined
        this.#send(probe, key)
        this.#clock.advance(REST_MS)
      }
      const newest = this.#newest(key)
      const reached = this.#receiver()?.relay
      if (reached !== newest) {
        this.#problems.push(`packet for ${key.shortString()} reached ${reached?.id}, but is at ${newest?.id}`)
      }
    }
    probe.client.close()
  }

  #receiver(): SimClient | undefined {
    return this.#lastReceiver
  }

  /** Each packet has been delivered or counted as dropped, once. */
  #checkAccounts(): void {
    const dropped = this.#relays.reduce((sum, relay) => sum + relay.dropped, this.#droppedBefore)
    if (this.#sent !== this.#delivered + dropped) {
      this.#problems.push(`${this.#sent} packets sent, ${this.#delivered} delivered, ${dropped} dropped`)
    }
    for (const { id, directory, clients, backplane } of this.#relays) {
      for (const problem of directory.registry.inconsistencies(clients.size)) this.#problems.push(`${id}: ${problem}`)
      const waiting = backplane.finder.waitingPackets
      if (waiting > 0) this.#problems.push(`${id}: ${waiting} packets still wait`)
    }
  }
}

function keyOf(kind: number, n: number): NodePublicKey {
  return NodePublicKey.fromBytes(new Uint8Array(KEY_LENGTH).fill(n + 1).fill(kind, 0, 1))
}
