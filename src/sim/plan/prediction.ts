/** Processor time, memory and traffic of a region or a full mesh: event rates times costs. */

import { type Costs, messageMicros, packetMicros } from './costs.ts'
import { type MessageRate, type Rates, totalMessages } from './rates.ts'
import { sharesOf, type Workload } from './workload.ts'

/** How relays know each other's clients. */
export type Kind = 'region' | 'mesh'

export interface RelayPrediction {
  /** Cores that are busy: 1 is all of one. */
  readonly cores: number
  readonly memoryBytes: number
  /** Sent, headers included. */
  readonly gigabitsPerSecond: number
  readonly clients: number
}

export interface NatsPrediction {
  readonly cores: number
  readonly memoryBytes: number
  readonly messagesIn: number
  readonly messagesOut: number
  readonly megabitsPerSecond: number
}

export interface Prediction {
  readonly kind: Kind
  /** The average relay. */
  readonly relay: RelayPrediction
  /** The one with the most clients. */
  readonly largest: RelayPrediction
  readonly links: number
  /** Of one server; a region only. */
  readonly nats: NatsPrediction | undefined
  /** Busy cores of all relays and of NATS together. */
  readonly cores: number
  /** Seconds in which the other relays can take the clients of one that has failed, with half a core each for that. */
  readonly takeoverSeconds: number
}

/** Bytes on the wire besides the packet: frame and key, TLS record, TCP and IP. */
const OVERHEAD_BYTES = 5 + 32 + 22 + 52
/** Seconds between frames that keep an idle connection open. */
const KEEP_ALIVE_SECONDS = 60
const BITS = 8
/** The process of a relay is busy to that share with logins, after another has failed. */
const TAKEOVER_CORES = 0.5
const NOTHING: MessageRate = { published: 0, delivered: 0, keys: 0, bytes: 0 }

export function predict(kind: Kind, workload: Workload, rates: Rates, costs: Costs): Prediction {
  const { relays } = rates
  const { micros } = costs
  const shares = sharesOf(workload)
  const state = kind === 'mesh' ? meshState(rates, costs) : regionState(rates, costs)
  const clientMicros = trafficMicros(workload, rates, costs)
  const relayOf = (share: number): RelayPrediction => ({
    cores: (clientMicros * share + state.micros / relays + micros.idleRelay) / 1e6,
    memoryBytes: costs.bytes.relay + rates.clients * share * costs.bytes.client + state.memoryBytes,
    gigabitsPerSecond: (egressBytes(workload, rates) * share * BITS) / 1e9,
    clients: rates.clients * share,
  })
  const nats = kind === 'mesh' || relays === 1 ? undefined : natsOf(rates, costs)
  const relay = relayOf(1 / relays)
  const lost = rates.clients / relays
  return {
    kind,
    relay,
    largest: relayOf(shares[0] ?? 1),
    links: kind === 'mesh' ? relays * (relays - 1) : rates.links,
    nats,
    cores: relay.cores * relays + (nats?.cores ?? 0),
    takeoverSeconds: relays === 1 ? 0 : (lost * micros.login) / 1e6 / ((relays - 1) * TAKEOVER_CORES),
  }
}

/** Microseconds per second for clients and their packets, all relays together. */
function trafficMicros(workload: Workload, rates: Rates, { micros }: Costs): number {
  const { localPackets, crossPackets, logins, clients } = rates
  const { packetBytes } = workload
  const burst = meanBurst(workload)
  // A frame out is half of a packet, which also comes in.
  const keepAlive = packetMicros(micros.localPacket, 0, 1) / 2
  return (
    localPackets * packetMicros(micros.localPacket, packetBytes, burst) +
    crossPackets * packetMicros(micros.crossPacket, packetBytes, burst) +
    logins * micros.login +
    (clients / KEEP_ALIVE_SECONDS) * keepAlive
  )
}

/** Replies come in smaller groups than what they reply to. */
function meanBurst({ burst, replies }: Workload): number {
  const groups = 1 / burst + replies / Math.max(1, burst * replies)
  return (1 + replies) / groups
}

interface State {
  /** Microseconds per second, all relays together. */
  readonly micros: number
  /** Of one relay. */
  readonly memoryBytes: number
}

function regionState(rates: Rates, { micros, bytes }: Costs): State {
  const find = rates.messages.find ?? NOTHING
  const all = totalMessages(rates)
  const perRelay = all.delivered / rates.relays
  const finds = find.delivered * messageMicros(micros.find, perRelay)
  const others = (all.delivered - find.delivered) * messageMicros(micros.message, perRelay)
  return {
    micros: finds + others + all.keys * micros.key,
    memoryBytes: rates.routes * bytes.route,
  }
}

function meshState({ relays, clients, logins }: Rates, { micros, bytes }: Costs): State {
  const others = relays - 1
  return {
    // Logins and departures, at all other relays.
    micros: 2 * logins * others * micros.meshPresence,
    memoryBytes: ((clients * others) / relays) * bytes.meshClient,
  }
}

function natsOf(rates: Rates, { micros, bytes }: Costs): NatsPrediction {
  const all = totalMessages(rates)
  const messages = all.published + all.delivered
  return {
    cores: (micros.idleNats + messages * messageMicros(micros.nats, all.published)) / 1e6,
    memoryBytes: bytes.nats + rates.relays * bytes.natsRelay,
    messagesIn: all.published,
    messagesOut: all.delivered,
    megabitsPerSecond: (all.bytes * BITS) / 1e6,
  }
}

/** Bytes that all relays send per second; a packet that crosses is sent twice. */
function egressBytes({ packetBytes }: Workload, { localPackets, crossPackets }: Rates): number {
  return (localPackets + 2 * crossPackets) * (packetBytes + OVERHEAD_BYTES)
}
