/**
 * One pair of clients of a load test: one sends stamped packets, the other counts them. Pure over its ports.
 *
 * At a fixed rate the latency of a packet is counted from when it was to be sent: what waits behind a slow relay is then part of
 * it, where counting from the actual send time would leave it out (coordinated omission).
 */

import type { NodePublicKey } from '../../../keys/public-key.ts'
import type { Clock, Timer } from '../../../lib/clock.ts'
import { isDerpError } from '../../../lib/derp-error.ts'
import { sleep } from '../../../lib/sleep.ts'
import type { ReceivedMessage } from '../../../protocol/messages.ts'
import { readStamp, writeStamp } from './packet-stamp.ts'
import { SendSchedule } from './send-schedule.ts'
import type { Tally } from './tally.ts'

/** A window without arrivals for this long counts as lost, and is sent again. */
const STALL_MS = 1_000
/** Milliseconds that a packet due at the end may be sent late, because timers are. */
const GRACE_MS = 100
/** Between two attempts to send over a lost connection. */
const RETRY_MS = 100

/** The methods used of a client. */
export interface FlowClient {
  selfPublicKey(): NodePublicKey
  send(destination: NodePublicKey, data: Uint8Array): Promise<void>
  recv(): Promise<ReceivedMessage>
}

export interface FlowPlan {
  /** Tells the packets of this run from others. */
  readonly run: number
  /** Sizes of successive packets, repeated. */
  readonly sizes: readonly number[]
  /** Packets per second of all pairs; undefined for as many as the window lets through. */
  readonly ratePerSecond: number | undefined
  /** Packets in flight per pair, without a rate. */
  readonly window: number
  /** This pair among all. */
  readonly pair: number
  readonly pairs: number
  readonly startMs: number
  /** Packets to be sent from here on count. */
  readonly measureMs: number
  readonly endMs: number
}

export interface FlowPorts {
  readonly clock: Clock
  readonly sender: FlowClient
  readonly receiver: FlowClient
  readonly tally: Tally
  /** Ends the sending early. */
  readonly stop: AbortSignal
}

export class Flow {
  readonly #plan: FlowPlan
  readonly #ports: FlowPorts
  readonly #packets: readonly Uint8Array[]
  /** Number of the next packet to send. */
  #next = 0
  /** All packets below have arrived or are lost: the relay keeps the order. */
  #settled = 0
  #onArrival: (() => void) | undefined

  constructor(plan: FlowPlan, ports: FlowPorts) {
    this.#plan = plan
    this.#ports = ports
    this.#packets = plan.sizes.map(size => new Uint8Array(size))
  }

  /** Whether something sent has not arrived yet. */
  get isWaiting(): boolean {
    return this.#settled < this.#next
  }

  /** Sends until the end or the stop. */
  async send(): Promise<void> {
    await (this.#plan.ratePerSecond === undefined ? this.#sendByWindow() : this.#sendByRate(this.#plan.ratePerSecond))
  }

  /** Counts arrivals until the client is closed. */
  async receive(): Promise<void> {
    const { receiver, clock, tally, stop } = this.#ports
    for (;;) {
      try {
        this.#onMessage(await receiver.recv())
      } catch (error) {
        if (isDerpError(error, 'ERR_DERP_CLIENT_CLOSED')) return
        tally.counts.failures++
        await sleep(clock, RETRY_MS, stop)
      }
    }
  }

  async #sendByRate(ratePerSecond: number): Promise<void> {
    const { clock, stop, tally } = this.#ports
    const { startMs, measureMs, endMs, pair, pairs } = this.#plan
    const schedule = new SendSchedule(startMs, ratePerSecond, pair, pairs)
    const planned = schedule.countBefore(endMs)
    while (this.#next < planned) {
      const intendedMs = schedule.at(this.#next)
      const aheadMs = intendedMs - clock.now()
      if (aheadMs > 0) await sleep(clock, aheadMs, stop)
      const nowMs = clock.now()
      if (stop.aborted || nowMs >= endMs + GRACE_MS) break
      await this.#sendPacket(intendedMs, nowMs)
    }
    // Stopped early, only what was due by then was left out.
    const due = schedule.countBefore(Math.min(endMs, clock.now())) - schedule.countBefore(measureMs)
    const dealtWith = Math.max(0, this.#next - schedule.countBefore(measureMs))
    tally.counts.unsent += Math.max(0, due - dealtWith)
  }

  async #sendByWindow(): Promise<void> {
    const { clock, stop } = this.#ports
    const { window, endMs } = this.#plan
    while (!stop.aborted && clock.now() < endMs) {
      if (this.#next - this.#settled < window) {
        const nowMs = clock.now()
        await this.#sendPacket(nowMs, nowMs)
      } else await this.#roomInWindow(Math.min(STALL_MS, endMs - clock.now()))
    }
  }

  /** Waits for an arrival. If there is none, everything in flight is taken for lost. */
  #roomInWindow(limitMs: number): Promise<void> {
    const { clock } = this.#ports
    return new Promise(resolve => {
      let timer: Timer | undefined
      const wake = () => {
        timer?.cancel()
        this.#onArrival = undefined
        resolve()
      }
      timer = clock.after(
        limitMs,
        () => {
          if (limitMs >= STALL_MS) this.#settled = this.#next
          wake()
        },
        true,
      )
      this.#onArrival = wake
    })
  }

  async #sendPacket(intendedMs: number, nowMs: number): Promise<void> {
    const { clock, sender, receiver, tally, stop } = this.#ports
    const { run, measureMs } = this.#plan
    const number = this.#next
    this.#next++
    const packet = this.#packets[number % this.#packets.length] as Uint8Array
    writeStamp(packet, { run, number, intendedMs })
    const { counts } = tally
    const isCounted = intendedMs >= measureMs
    // Before the call: the packet may arrive before it returns.
    if (isCounted) {
      counts.sent++
      counts.sentBytes += packet.length
      tally.lateness.record(nowMs - intendedMs)
    }
    try {
      await sender.send(receiver.selfPublicKey(), packet)
    } catch {
      counts.failures++
      await sleep(clock, RETRY_MS, stop)
    }
  }

  #onMessage(message: ReceivedMessage): void {
    if (message.type !== 'receivedPacket') return
    const { sender, clock, tally } = this.#ports
    const stamp = readStamp(message.data)
    if (stamp === undefined || stamp.run !== this.#plan.run || !message.source.equals(sender.selfPublicKey())) return
    this.#settled = Math.max(this.#settled, stamp.number + 1)
    if (stamp.intendedMs >= this.#plan.measureMs) {
      tally.counts.received++
      tally.counts.receivedBytes += message.data.length
      tally.latency.record(clock.now() - stamp.intendedMs)
    }
    this.#onArrival?.()
  }
}
