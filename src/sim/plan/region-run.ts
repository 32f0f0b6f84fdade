/**
 * A region under a workload in virtual time: the code of real relays, without sockets and without cost. It gives the
 * rates of the events that cost something.
 */

import { decodeMessage } from '../../backplane/decode.ts'
import type { RelayId } from '../../backplane/stamp.ts'
import { NodePublicKey } from '../../keys/node-key.ts'
import { writeUint32 } from '../../lib/bytes.ts'
import { KEY_LENGTH } from '../../protocol/constants.ts'
import { type Delay, Network } from '../network.ts'
import { Random } from '../random.ts'
import { SimBroker } from '../sim-bus.ts'
import { type ClientObserver, SimClient } from '../sim-client.ts'
import { SimRelay } from '../sim-relay.ts'
import { VirtualClock } from '../virtual-clock.ts'
import type { MessageKind, MessageRate, Rates } from './rates.ts'
import { checkWorkload, localityOf, sharesOf, type Workload } from './workload.ts'

export interface RunOptions {
  readonly seed: number
  /** Virtual seconds before the measured ones; routes need two minutes until as many end as begin. */
  readonly warmupSeconds: number
  readonly seconds: number
  readonly delay: Delay
}

export const USUAL_RUN: RunOptions = { seed: 1, warmupSeconds: 180, seconds: 60, delay: { minMs: 0.1, maxMs: 0.5 } }

/** Milliseconds until all relays know each other. */
const START_MS = 4_000
/** Milliseconds until a client replies. */
const REPLY_MS = 1
/** Sequence number of a reply, which is not replied to. */
const REPLY = 0

interface Device {
  readonly key: NodePublicKey
  /** Index of its relay. */
  home: number
  peers: readonly Device[]
  connection: SimClient | undefined
}

interface Tally {
  published: number
  delivered: number
  keys: number
  bytes: number
}

export class RegionRun implements ClientObserver {
  readonly #workload: Workload
  readonly #options: RunOptions
  readonly #random: Random
  readonly #clock = new VirtualClock()
  readonly #relays: readonly SimRelay[]
  readonly #shares: readonly number[]
  readonly #devices: readonly Device[]
  /** Of each connection by number: its device. */
  readonly #owners: Device[] = []
  #isMeasuring = false
  #sent = 0
  #local = 0
  #cross = 0
  #logins = 0
  #connected = 0
  readonly #messages = new Map<MessageKind, Tally>()

  constructor(workload: Workload, options: RunOptions = USUAL_RUN) {
    checkWorkload(workload)
    this.#workload = workload
    this.#options = options
    this.#random = new Random(options.seed)
    const network = new Network(this.#clock, this.#random, options.delay)
    const broker = new SimBroker(network)
    broker.onSent = (bytes, to) => this.#count(bytes, to)
    this.#relays = Array.from(
      { length: workload.relays },
      (_, n) =>
        new SimRelay(keyOf(2, n), {
          network,
          broker,
          clock: this.#clock,
          life: 1,
          relay: id => this.#relays.find(relay => relay.id === id),
        }),
    )
    this.#shares = sharesOf(workload)
    this.#devices = this.#createDevices()
  }

  /** Runs it, and returns what happened in the measured time. */
  run(): Rates {
    const { warmupSeconds, seconds } = this.#options
    this.#clock.advance(START_MS)
    for (const device of this.#devices) this.#begin(device)
    this.#clock.advance(warmupSeconds * 1_000)
    this.#isMeasuring = true
    this.#clock.advance(seconds * 1_000)
    const per = (count: number) => count / seconds
    const rates = ([kind, tally]: [MessageKind, Tally]): [MessageKind, MessageRate] => [
      kind,
      {
        published: per(tally.published),
        delivered: per(tally.delivered),
        keys: per(tally.keys),
        bytes: per(tally.bytes),
      },
    ]
    return {
      relays: this.#relays.length,
      localPackets: per(this.#local),
      crossPackets: per(this.#cross),
      lostPackets: per(Math.max(0, this.#sent - this.#local - this.#cross)),
      logins: per(this.#logins),
      messages: Object.fromEntries([...this.#messages].map(rates)),
      routes: this.#relays.reduce((sum, { backplane }) => sum + backplane.routes.size, 0) / this.#relays.length,
      links: this.#relays.reduce((sum, { links }) => sum + [...links.values()].filter(({ isUp }) => isUp).length, 0),
      clients: this.#connected,
    }
  }

  onPacket(to: SimClient, from: number, sequence: number): void {
    const sender = this.#owners[from]
    if (this.#isMeasuring) {
      if (sender?.connection?.relay === to.relay) this.#local++
      else this.#cross++
    }
    if (sequence === REPLY || sender === undefined || this.#random.next() >= this.#workload.replies) return
    this.#clock.after(REPLY_MS, () => {
      if (!to.isClosed) this.#send(to, sender.key, REPLY)
    })
  }

  onPeerLeft(): void {}

  onNotHere(): void {}

  #createDevices(): readonly Device[] {
    const { clients, sessionSeconds, awaySeconds } = this.#workload
    const count = Math.round((clients * (sessionSeconds + awaySeconds)) / sessionSeconds)
    const devices = Array.from({ length: count }, (_, n): Device => {
      return { key: keyOf(1, n), home: this.#pickRelay(), peers: [], connection: undefined }
    })
    const residents = this.#relays.map((_, home) => devices.filter(device => device.home === home))
    for (const device of devices) device.peers = this.#pickPeers(device, devices, residents[device.home] ?? [])
    return devices
  }

  #pickPeers(device: Device, devices: readonly Device[], residents: readonly Device[]): readonly Device[] {
    const { peers: count, relays } = this.#workload
    const locality = localityOf(this.#workload)
    // A relay may have too few clients for all the local peers, or all of them.
    const mixes = relays === 1 || residents.length <= count || residents.length + count > devices.length
    const peers = new Set<Device>()
    while (peers.size < count) {
      const isLocal = this.#random.next() < locality
      let peer: Device
      do peer = this.#random.pick(isLocal && !mixes ? residents : devices)
      while (!mixes && !isLocal && peer.home === device.home)
      if (peer !== device) peers.add(peer)
    }
    return [...peers]
  }

  #pickRelay(): number {
    let left = this.#random.next()
    const at = this.#shares.findIndex(share => {
      left -= share
      return left < 0
    })
    return Math.max(0, at)
  }

  #begin(device: Device): void {
    const { sessionSeconds, awaySeconds } = this.#workload
    if (this.#random.next() < sessionSeconds / (sessionSeconds + awaySeconds)) this.#login(device)
    else this.#leaveUntilLater(device)
  }

  #login(device: Device): void {
    const { sessionSeconds, stay } = this.#workload
    if (this.#random.next() >= stay) device.home = this.#pickRelay()
    const relay = this.#relays[device.home] as SimRelay
    const client = new SimClient(this.#owners.push(device) - 1, device.key, relay, this)
    device.connection = client
    this.#connected++
    if (this.#isMeasuring) this.#logins++
    relay.login(client)
    this.#waitForFlow(device, client)
    this.#afterMean(sessionSeconds, () => {
      client.close()
      device.connection = undefined
      this.#connected--
      this.#leaveUntilLater(device)
    })
  }

  #leaveUntilLater(device: Device): void {
    this.#afterMean(this.#workload.awaySeconds, () => this.#login(device))
  }

  #waitForFlow(device: Device, client: SimClient): void {
    const { flowEverySeconds, flowPackets } = this.#workload
    this.#afterMean(flowEverySeconds, () => {
      if (client.isClosed) return
      this.#sendBurst(client, this.#random.pick(device.peers), flowPackets)
      this.#waitForFlow(device, client)
    })
  }

  #sendBurst(client: SimClient, peer: Device, left: number): void {
    if (client.isClosed) return
    const { burst, flowRate } = this.#workload
    const count = Math.min(left, burst)
    for (let n = 0; n < count; n++) this.#send(client, peer.key, left - n)
    if (count < left) this.#clock.after((count / flowRate) * 1_000, () => this.#sendBurst(client, peer, left - count))
  }

  #send(client: SimClient, to: NodePublicKey, sequence: number): void {
    if (this.#isMeasuring) this.#sent++
    client.send(to, sequence)
  }

  /** Runs `fn` after an exponentially distributed time. */
  #afterMean(seconds: number, fn: () => void): void {
    this.#clock.after(-Math.log(1 - this.#random.next()) * seconds * 1_000, fn)
  }

  #count(bytes: Uint8Array, to: RelayId | undefined): void {
    const message = this.#isMeasuring ? decodeMessage(bytes) : undefined
    if (message === undefined) return
    const tally = this.#messages.get(message.type) ?? { published: 0, delivered: 0, keys: 0, bytes: 0 }
    this.#messages.set(message.type, tally)
    const receivers = to === undefined ? this.#relays.length - 1 : 1
    tally.published++
    tally.delivered += receivers
    tally.keys += 'keys' in message ? message.keys.length * receivers : 0
    tally.bytes += bytes.length * receivers
  }
}

function keyOf(kind: number, n: number): NodePublicKey {
  const bytes = new Uint8Array(KEY_LENGTH).fill(kind)
  // Ids of relays are the first bytes of their keys.
  writeUint32(bytes, 1, n)
  return NodePublicKey.fromBytes(bytes)
}
