/** The workload of a region. */

export interface Workload {
  readonly relays: number
  /** Clients of the whole region that are connected, on average. */
  readonly clients: number
  /** How unequal relays are: their shares of the clients are as 1, 1/2^skew, 1/3^skew… 0: all equal. */
  readonly skew: number
  /** Mean seconds for which a client stays connected. Each login is an arrival. */
  readonly sessionSeconds: number
  /** Mean seconds until it connects again. */
  readonly awaySeconds: number
  /** Share of clients that return to the same relay; others go to any. */
  readonly stay: number
  /** Clients that a client sends to. */
  readonly peers: number
  /** Share of them at the client's own relay; undefined for a random choice. */
  readonly locality: number | undefined
  /** Mean seconds between flows that a client starts, each to one of its peers. */
  readonly flowEverySeconds: number
  /** Packets of a flow, without replies. */
  readonly flowPackets: number
  /** Packets per second within a flow. */
  readonly flowRate: number
  /** Packets that arrive together. */
  readonly burst: number
  /** Share of the packets that is replied to, by one packet each. */
  readonly replies: number
  /** Bytes of a packet. */
  readonly packetBytes: number
}

/** Devices that keep a connection to their home relay; some of them have no direct path to their peers. */
export const USUAL_WORKLOAD: Workload = {
  relays: 3,
  clients: 30_000,
  skew: 0,
  sessionSeconds: 4 * 3_600,
  awaySeconds: 5,
  stay: 0.5,
  peers: 5,
  locality: undefined,
  flowEverySeconds: 1_800,
  flowPackets: 600,
  flowRate: 50,
  burst: 4,
  replies: 0.5,
  packetBytes: 1_280,
}

/** Shares of the clients by relay, the largest first; their sum is 1. */
export function sharesOf({ relays, skew }: Workload): readonly number[] {
  const weights = Array.from({ length: relays }, (_, n) => (n + 1) ** -skew)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map(weight => weight / sum)
}

/** Share of a client's peers at its own relay. */
export function localityOf(workload: Workload): number {
  if (workload.relays === 1) return 1
  return workload.locality ?? sharesOf(workload).reduce((sum, share) => sum + share ** 2, 0)
}

/** Seconds from the first packet of a flow to its last. */
export function flowSeconds({ flowPackets, flowRate }: Workload): number {
  return flowPackets / flowRate
}

/** @throws Error naming an invalid value. */
export function checkWorkload(workload: Workload): void {
  const { relays, clients, peers, stay, replies, locality = 0, skew } = workload
  const whole = { relays, clients, peers, burst: workload.burst, flowPackets: workload.flowPackets }
  for (const [name, value] of Object.entries(whole)) {
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`plan region: ${name} is ${value}, not a positive integer`)
  }
  for (const [name, value] of Object.entries({ stay, replies, locality })) {
    if (!(value >= 0 && value <= 1)) throw new Error(`plan region: ${name} is ${value}, not between 0 and 1`)
  }
  const { sessionSeconds, awaySeconds, flowEverySeconds, flowRate, packetBytes } = workload
  const positive = { sessionSeconds, awaySeconds, flowEverySeconds, flowRate, packetBytes }
  for (const [name, value] of Object.entries(positive)) {
    if (!(value > 0)) throw new Error(`plan region: ${name} is ${value}, not above 0`)
  }
  if (!(skew >= 0)) throw new Error(`plan region: skew is ${skew}, below 0`)
  if (peers >= clients) throw new Error(`plan region: ${peers} peers among ${clients} clients`)
}
