/** How long the event loop keeps everybody waiting: the longest delay of each interval, by buckets. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock, Timer } from '../lib/clock.ts'
import type { Histogram } from '../metrics/histogram.ts'

/** What is needed of Node's monitor. */
export interface DelayMonitor {
  /** Nanoseconds: the longest time between two ticks since {@link reset}; 0 when there was none. */
  readonly max: number
  enable(): void
  disable(): void
  reset(): void
}

/** Milliseconds between two ticks of the monitor when nothing delays it. */
const TICK_MS = 10
/** Milliseconds of which the longest delay is recorded. */
export const DELAY_INTERVAL_MS = 5_000

export class EventLoopDelay {
  readonly #histogram: Histogram
  readonly #clock: Clock
  readonly #monitor: DelayMonitor
  #timer: Timer | undefined

  /** @param histogram where the delays are recorded, in milliseconds. */
  constructor(
    histogram: Histogram,
    clock: Clock,
    monitor: DelayMonitor = monitorEventLoopDelay({ resolution: TICK_MS }),
  ) {
    this.#histogram = histogram
    this.#clock = clock
    this.#monitor = monitor
  }

  start(): void {
    if (this.#timer !== undefined) return
    this.#monitor.enable()
    this.#arm()
  }

  /** Stops watching; idempotent. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#monitor.disable()
  }

  #arm(): void {
    this.#timer = this.#clock.after(DELAY_INTERVAL_MS, () => {
      // The monitor's figure contains the tick itself.
      this.#histogram.observe(Math.max(0, this.#monitor.max / 1e6 - TICK_MS))
      this.#monitor.reset()
      this.#arm()
    })
  }
}
