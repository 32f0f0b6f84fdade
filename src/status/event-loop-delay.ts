/** The longest event loop delay of each interval, as a histogram. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock, Timer } from '../lib/clock.ts'
import type { Histogram } from '../metrics/histogram.ts'

/** The required part of Node's monitor. */
export interface DelayMonitor {
  /** Nanoseconds: the longest time between two ticks since {@link reset}; 0 if there was none. */
  readonly max: number
  enable(): void
  disable(): void
  reset(): void
}

/** Milliseconds between two undelayed ticks of the monitor. */
const TICK_MS = 10
/** Milliseconds per interval. */
export const DELAY_INTERVAL_MS = 5_000

export class EventLoopDelay {
  readonly #histogram: Histogram
  readonly #clock: Clock
  readonly #monitor: DelayMonitor
  #timer: Timer | undefined

  /** @param histogram receives the delays in milliseconds. */
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
      // The monitor's value includes the tick itself.
      this.#histogram.observe(Math.max(0, this.#monitor.max / 1e6 - TICK_MS))
      this.#monitor.reset()
      this.#arm()
    })
  }
}
