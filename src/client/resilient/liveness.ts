/** Detects dead connections by pings (P-091). */

import type { Clock, Timer } from '../../lib/clock.ts'
import { type DerpError, isDerpError } from '../../lib/derp-error.ts'
import { QuietTimer } from '../quiet-timer.ts'

/** Times in milliseconds. */
export interface LivenessTimes {
  /** From the start to the first ping, which is sent regardless of traffic. */
  readonly healthyAfterMs: number
  /** Time without any message after which a ping is sent. */
  readonly pingIntervalMs: number
}

export interface LivenessPorts {
  /** Sends a ping and waits for its Pong; rejects with the code `ERR_DERP_PING_TIMEOUT` without one. */
  ping(signal: AbortSignal): Promise<void>
  onPong(): void
  onDead(error: DerpError): void
}

export class Liveness {
  readonly #ports: LivenessPorts
  readonly #stop = new AbortController()
  /** The first ping, which does not wait for silence. */
  readonly #first: Timer
  readonly #quiet: QuietTimer
  #isPinging = false
  /** Messages received, and suspensions, since the pending ping was sent. */
  #excuses = 0

  constructor(clock: Clock, { healthyAfterMs, pingIntervalMs }: LivenessTimes, ports: LivenessPorts) {
    this.#ports = ports
    this.#quiet = new QuietTimer(clock, pingIntervalMs, () => this.#ping())
    this.#first = clock.after(Math.min(healthyAfterMs, pingIntervalMs), () => this.#ping())
  }

  /** A message has arrived. */
  touch(): void {
    this.#quiet.touch()
    this.#excuses++
  }

  /** No one receives, so silence means nothing. */
  suspend(): void {
    this.#quiet.suspend()
    this.#excuses++
  }

  resume(): void {
    this.#quiet.resume()
    this.touch()
  }

  /** Sends a ping now, unless one is pending. */
  probe(): void {
    if (!this.#isPinging && !this.#quiet.isSuspended) this.#ping()
  }

  stop(): void {
    this.#stop.abort()
    this.#first.cancel()
    this.#quiet.cancel()
  }

  #ping(): void {
    this.#first.cancel()
    if (this.#quiet.isSuspended) {
      this.#quiet.start()
      return
    }
    this.#quiet.cancel()
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
    this.#quiet.start()
  }

  #unanswered(error: unknown): void {
    this.#isPinging = false
    if (this.#stop.signal.aborted) return
    // Other failures are those of the connection, which its receiver sees.
    if (!isDerpError(error, 'ERR_DERP_PING_TIMEOUT')) return
    // A busy relay may leave pings unanswered; one that sends anything is alive.
    if (this.#excuses > 0) this.#quiet.start()
    else this.#ports.onDead(error)
  }
}
