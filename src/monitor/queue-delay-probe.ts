/** Probes how long packets wait in relays: sends small ones at a steady rate, all the time, and times each. */

import type { Clock } from '../lib/clock.ts'
import { sleep } from '../lib/sleep.ts'
import { Histogram } from '../metrics/histogram.ts'
import { untilFirst } from './loops.ts'
import {
  failed,
  type NodePair,
  type OpenPair,
  type PairPorts,
  pathLabel,
  receivePackets,
  untilNotKnown,
  withPair,
} from './node-pair.ts'
import type { ProbeClass, ProbeContext } from './probe-class.ts'

export interface QueueDelayOptions {
  readonly packetsPerSecond: number
  /** A packet that takes longer counts as dropped. */
  readonly packetTimeoutMs: number
}

/** Milliseconds before a failed probe begins anew. */
export const RETRY_MS = 10_000
/** Buckets in seconds, as in the original. */
const BOUNDS_S: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
/** The size of a CallMeMaybe packet. */
const PACKET_BYTES = 260
/** Milliseconds of sending where the probe runs once. */
const ONCE_MS = 5_000

export function queueDelayProbe(pairNow: () => NodePair, options: QueueDelayOptions, ports: PairPorts): ProbeClass {
  const { from, to } = pairNow()
  const record = new DelayRecord(options.packetTimeoutMs)
  return {
    class: 'derp_qd',
    labels: pathLabel(from.Name, to.Name),
    probe: context =>
      withPair(pairNow(), { ports, context, isProber: false }, async open => {
        context.step(`send packets from ${open.from.Name} to ${open.to.Name}`)
        record.forgetUnderWay()
        await measure(open, { record, options, clock: ports.clock, context })
        return context.isOnce ? [record.summary()] : []
      }),
    metrics: () => [
      {
        name: 'derp_qd_probe_dropped_packets',
        help: 'Total packets dropped',
        type: 'counter',
        value: record.dropped,
      },
      {
        name: 'derp_qd_probe_delays_seconds',
        help: 'Distribution of queuing delays',
        type: 'histogram',
        value: record.delays,
      },
    ],
  }
}

/** Delays of packets, and those that did not arrive in time. */
class DelayRecord {
  readonly delays = new Histogram(BOUNDS_S)
  dropped = 0
  readonly #timeoutMs: number
  /** When each packet was sent, by its number; oldest first. */
  readonly #underWay = new Map<bigint, number>()
  #maxMs = 0

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  get underWay(): number {
    return this.#underWay.size
  }

  forgetUnderWay(): void {
    this.#underWay.clear()
  }

  sent(number: bigint, nowMs: number): void {
    this.expire(nowMs)
    this.#underWay.set(number, nowMs)
  }

  /** Late ones have been counted as dropped already. */
  arrived(number: bigint, nowMs: number): void {
    this.expire(nowMs)
    const sentMs = this.#underWay.get(number)
    if (sentMs === undefined) return
    this.#underWay.delete(number)
    this.#maxMs = Math.max(this.#maxMs, nowMs - sentMs)
    this.delays.observe((nowMs - sentMs) / 1_000)
  }

  /** Counts those as dropped whose time is over. */
  expire(nowMs: number): void {
    for (const [number, sentMs] of this.#underWay) {
      if (nowMs - sentMs < this.#timeoutMs) return
      this.#underWay.delete(number)
      this.dropped++
    }
  }

  summary(): string {
    const meanMs = (this.delays.sum / Math.max(1, this.delays.count)) * 1_000
    return `${this.delays.count} packets: mean ${meanMs.toFixed(2)} ms, at most ${this.#maxMs.toFixed(2)} ms, ${this.dropped} dropped`
  }
}

interface Measurement {
  readonly record: DelayRecord
  readonly options: QueueDelayOptions
  readonly clock: Clock
  readonly context: ProbeContext
}

/** Ends when stopped or by an error; where it runs once, when all packets have arrived or are dropped. */
async function measure(open: OpenPair, { record, options, clock, context }: Measurement): Promise<void> {
  const { from, to } = open
  const receive = (stop: AbortSignal) =>
    receivePackets(open, stop, data => {
      if (data.length === PACKET_BYTES) record.arrived(readNumber(data), clock.now())
      return false
    })
  const watch = async (stop: AbortSignal) => {
    await untilNotKnown(open, stop)
    throw failed(`${from.Name} no longer knows the client that is connected to ${to.Name}`)
  }
  const send = async (stop: AbortSignal) => {
    await sendSteadily(
      open,
      { record, options, clock, untilMs: context.isOnce ? clock.now() + ONCE_MS : Infinity },
      stop,
    )
    for (; record.underWay > 0 && !stop.aborted; record.expire(clock.now())) await sleep(clock, 10, stop)
  }
  await untilFirst(context.signal, receive, watch, send)
  if (record.delays.count === 0) throw failed(`none of the packets sent at ${from.Name} arrived at ${to.Name}`)
}

interface Sending extends Omit<Measurement, 'context'> {
  readonly untilMs: number
}

/** Sends when each packet is due; what is overdue goes at once. */
async function sendSteadily({ sender, receiver }: OpenPair, plan: Sending, stop: AbortSignal): Promise<void> {
  const { record, options, clock, untilMs } = plan
  const everyMs = 1_000 / options.packetsPerSecond
  const packet = new Uint8Array(PACKET_BYTES)
  let dueMs = clock.now()
  for (let number = 0n; dueMs < untilMs && !stop.aborted; number++) {
    if (dueMs > clock.now()) await sleep(clock, dueMs - clock.now(), stop)
    if (stop.aborted) return
    new DataView(packet.buffer).setBigUint64(0, number)
    record.sent(number, clock.now())
    await sender.send(receiver.selfPublicKey(), packet, stop)
    dueMs += everyMs
  }
}

function readNumber(data: Uint8Array): bigint {
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getBigUint64(0)
}
