/** Finds out by pings whether the other side of a connection is still there (P-091). */

import type { Clock, Timer } from '../../lib/clock.ts'
import type { DerpError } from '../../lib/derp-error.ts'
import { isDerpError } from '../../lib/derp-error.ts'

/** Times in milliseconds. */
export interface LivenessTimes {
  /** From the beginning to the first ping, which is sent whatever comes meanwhile. */
  readonly healthyAfterMs: number
  /** Without any message, after which a ping is sent. */
  readonly pingIntervalMs: number
}

export interface LivenessPorts {
  /** Sends a ping and waits for its Pong; rejects with the code `ERR_DERP_PING_TIMEOUT` when none comes. */
  ping(signal: AbortSignal): Promise<void>
  onPong(): void
  onDead(error: DerpError): void
}

export class Liveness {
  readonly #clock: Clock
  readonly #times: LivenessTimes
  readonly #ports: LivenessPorts
  readonly #stop = new AbortController()
  #timer: Timer
  #lastMs: number
  #isPinging = false
  #isSuspended = false
  /** Messages, and times without a receiver, since the ping under way was sent. */
  #excuses = 0

  constructor(clock: Clock, times: LivenessTimes, ports: LivenessPorts) {
    this.#clock = clock
    this.#times = times
    this.#ports = ports
    this.#lastMs = clock.now()
    this.#timer = clock.after(Math.min(times.healthyAfterMs, times.pingIntervalMs), () => this.#ping())
  }

  /** A message has come. */
  touch(): void {
    this.#lastMs = this.#clock.now()
    this.#excuses++
  }

  /** Messages are not taken: that none comes, says nothing. */
  suspend(): void {
    this.#isSuspended = true
    this.#excuses++
  }

  resume(): void {
    this.#isSuspended = false
    this.touch()
  }

  /** Sends a ping now, unless one is under way. */
  probe(): void {
    if (this.#isPinging || this.#isSuspended) return
    this.#timer.cancel()
    this.#ping()
  }

  stop(): void {
    this.#stop.abort()
    this.#timer.cancel()
  }

  #ping(): void {
    if (this.#isSuspended) {
      this.#arm(this.#times.pingIntervalMs)
      return
    }
    this.#isPinging = true
    this.#excuses = 0
    this.#ports.ping(this.#stop.signal).then(
      () => this.#answered(),
      error => this.#unanswered(error),
    )
  }

  #answered(): void {
    this.#isPinging = false
    if (this.#stop.signal.aborted) return
    this.touch()
    this.#ports.onPong()
    this.#arm(this.#times.pingIntervalMs)
  }

  #unanswered(error: unknown): void {
    this.#isPinging = false
    if (this.#stop.signal.aborted) return
    // Other failures are those of the connection, which its receiver hears of.
    if (!isDerpError(error, 'ERR_DERP_PING_TIMEOUT')) return
    // A relay may leave pings out when it is busy; one that sends something is there.
    if (this.#excuses > 0) this.#arm(this.#times.pingIntervalMs)
    else this.#ports.onDead(error)
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => {
      const quietMs = this.#isSuspended ? 0 : this.#clock.now() - this.#lastMs
      if (quietMs >= this.#times.pingIntervalMs) this.#ping()
      else this.#arm(this.#times.pingIntervalMs - quietMs)
    })
  }
}
