/**
 * Detects a worker whose event loop hangs: it keeps its connections and its share of the port, and serves neither.
 *
 * Beats are counted, not timed: while this thread stands still, or the whole machine does, none is missed.
 */

import type { Clock, Timer } from '../../lib/clock.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Milliseconds between beats. */
export const BEAT_MS = 1_000
/** Beats without an answer after which a worker hangs; the longest pause for garbage is a part of that. */
export const MAX_MISSED_BEATS = 10

export class Watchdog {
  readonly #clock: Clock
  readonly #worker: Pick<WorkerHandle, 'whenHandled'>
  readonly #onHang: () => void
  #timer: Timer | undefined
  #hasPendingBeat = false
  #missed = 0

  constructor(clock: Clock, worker: Pick<WorkerHandle, 'whenHandled'>, onHang: () => void) {
    this.#clock = clock
    this.#worker = worker
    this.#onHang = onHang
  }

  /** The worker has not answered the last beat. */
  get isWaiting(): boolean {
    return this.#hasPendingBeat
  }

  start(): void {
    this.#timer = this.#clock.after(BEAT_MS, () => this.#beat())
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #beat(): void {
    if (this.#hasPendingBeat) {
      if (++this.#missed === MAX_MISSED_BEATS) {
        this.#onHang()
        return
      }
    } else {
      this.#missed = 0
      this.#hasPendingBeat = true
      this.#worker.whenHandled(() => {
        this.#hasPendingBeat = false
      })
    }
    this.start()
  }
}
