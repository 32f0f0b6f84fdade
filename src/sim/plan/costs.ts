/** What operations cost a relay and NATS, as measured by `npm run simulate:verify`. */

/** Processor time of a packet, in microseconds: depends on its size, and on how many arrive together. */
export interface PacketCost {
  readonly packet: number
  /** Per group of packets that arrive together. */
  readonly burst: number
  readonly byte: number
}

export interface Costs {
  /** ISO 8601, to the minute. */
  readonly date: string
  readonly commit: string
  readonly machine: { readonly processor: string; readonly cores: number }
  readonly relay: string
  readonly nats: string
  /** Processor time in microseconds. */
  readonly micros: {
    /** Per second, for a relay without clients. */
    readonly idleRelay: number
    readonly idleNats: number
    readonly localPacket: PacketCost
    /** A packet from one relay to another, on both relays together. */
    readonly crossPacket: PacketCost
    /** A login over TLS, and the end of its connection. */
    readonly login: number
    /** A relay receives a search and answers it, without its keys. */
    readonly find: MessageCost
    /** A relay receives any other message. */
    readonly message: MessageCost
    /** For each key in a message. */
    readonly key: number
    /** NATS receives a message, or sends it to one relay. */
    readonly nats: MessageCost
    /** A relay of a full mesh is told of a client of another relay. */
    readonly meshPresence: number
  }
  /** Resident memory in bytes. */
  readonly bytes: {
    readonly relay: number
    readonly client: number
    readonly route: number
    readonly meshClient: number
    readonly nats: number
    readonly natsRelay: number
  }
  readonly ms: RelayStart
}

/** Milliseconds from the start of a relay's process. */
export interface RelayStart {
  /** Until it accepts connections. */
  readonly listens: number
  /** Until the first clients that try have logged in. */
  readonly hasClients: number
  /** Until it is connected to NATS. */
  readonly hasNats: number
}

/** Processor time of a message, in microseconds: less if many come one after the other. */
export interface MessageCost {
  readonly alone: number
  readonly together: number
}

/** Messages per second at which either cost was measured, at the receiver. */
export const MESSAGE_RATES = { alone: 250, together: 20_000 } as const

/** Microseconds per message at a rate in messages per second: between the measured rates, a power of the rate. */
export function messageMicros({ alone, together }: MessageCost, perSecond: number): number {
  const share = Math.log(perSecond / MESSAGE_RATES.alone) / Math.log(MESSAGE_RATES.together / MESSAGE_RATES.alone)
  return alone * (together / alone) ** Math.min(1, Math.max(0, share))
}

/** Microseconds for one packet. */
export function packetMicros(cost: PacketCost, bytes: number, burst: number): number {
  return cost.packet + cost.burst / burst + cost.byte * bytes
}

/** Measured costs of a packet, in microseconds. */
export interface PacketSamples {
  readonly large: { readonly bytes: number; readonly alone: number; readonly together: number }
  readonly small: { readonly bytes: number; readonly together: number }
  /** Packets that arrive together. */
  readonly burst: number
}

/** The cost that fits the samples. */
export function fitPacketCost({ large, small, burst }: PacketSamples): PacketCost {
  const byte = Math.max(0, (large.together - small.together) / (large.bytes - small.bytes))
  const perBurst = Math.max(0, (large.alone - large.together) / (1 - 1 / burst))
  return { packet: large.together - perBurst / burst - byte * large.bytes, burst: perBurst, byte }
}
