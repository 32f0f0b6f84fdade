/**
 * One connection of a resilient client, from dial to end.
 *
 * It is usable once ServerInfo has arrived: only then has the relay admitted us (P-036). It is healthy once it has
 * carried a packet or a pong after a while: only then are earlier failures reset.
 */

import { abortable } from '../../lib/abort.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { ReceivedMessage, ServerRestartingMessage } from '../../protocol/messages.ts'
import { type Client, dropLink, linkOf } from '../client.ts'
import type { Link } from '../link-keeper.ts'
import { pingOver } from '../ping.ts'
import { receiveOver } from '../received-detail.ts'
import { Liveness } from './liveness.ts'

/** Why a run ended. */
export type EndCause =
  /** The attempt failed, or the connection broke. */
  | 'failed'
  /** The peer no longer responds. */
  | 'unanswered'
  /** The host's network has changed. */
  | 'networkChanged'
  /** The relay is no longer a target. */
  | 'replaced'
  | 'closed'

/** Progress of a run. */
export type Stage = 'connecting' | 'loggingIn' | 'usable'

/** Result of a run. */
export interface RunEnd {
  readonly cause: EndCause
  readonly stage: Stage
  readonly error: DerpError
  /** Whether it was healthy. */
  readonly isHealthy: boolean
  /** The last problem reported by the relay; empty if none (P-092). */
  readonly problem: string
  /** The relay's restart announcement, if any (P-093). */
  readonly restarting: (ServerRestartingMessage & { readonly atMs: number }) | undefined
}

/** Times of a run, in milliseconds. */
export interface RunTimes {
  /** From the start to ServerInfo. */
  readonly attemptTimeoutMs: number
  /** From ServerInfo until traffic makes the connection healthy. */
  readonly healthyAfterMs: number
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
}

/** Callbacks of a run. */
export interface RunPorts {
  readonly clock: Clock
  readonly times: RunTimes
  onUsable(link: Link): void
  onHealthy(): void
  /** Receives a message; a returned promise is awaited before the next message is taken. */
  onMessage(message: ReceivedMessage): Promise<void> | undefined
}

export class SupervisedConnection {
  readonly #client: Client
  readonly #ports: RunPorts
  readonly #stop = new AbortController()
  #watchdog: Timer | undefined
  #cause: EndCause = 'failed'
  #stage: Stage = 'connecting'
  #link: Link | undefined
  #liveness: Liveness | undefined
  #usableAtMs = 0
  #isHealthy = false
  #problem = ''
  #restarting: RunEnd['restarting']

  constructor(client: Client, ports: RunPorts) {
    this.#client = client
    this.#ports = ports
  }

  /** Runs until the end and leaves no connection. Never rejects. */
  async run(): Promise<RunEnd> {
    const { clock, times } = this.#ports
    const { attemptTimeoutMs } = times
    this.#watchdog = clock.after(attemptTimeoutMs, () => this.end('failed', notLetIn(attemptTimeoutMs)))
    try {
      await this.#client.connect(this.#stop.signal)
      this.#link = linkOf(this.#client)
      if (this.#link === undefined) throw lost()
      this.#stage = 'loggingIn'
      for (;;) await this.#take(await receiveOver(this.#link))
    } catch (thrown) {
      return this.#ended(thrown instanceof DerpError ? thrown : failed(thrown))
    } finally {
      this.#watchdog.cancel()
      this.#liveness?.stop()
    }
  }

  /** Ends the run; the first cause wins. */
  end(cause: EndCause, error: DerpError): void {
    if (this.#stop.signal.aborted) return
    this.#cause = cause
    this.#stop.abort(error)
    if (this.#link !== undefined) dropLink(this.#client, this.#link, error)
  }

  /** Pings the peer now. */
  probe(): void {
    this.#liveness?.probe()
  }

  #ended(error: DerpError): RunEnd {
    if (this.#link !== undefined) dropLink(this.#client, this.#link, error)
    return {
      cause: this.#cause,
      stage: this.#stage,
      error,
      isHealthy: this.#isHealthy,
      problem: this.#problem,
      restarting: this.#restarting,
    }
  }

  async #take(message: ReceivedMessage): Promise<void> {
    this.#liveness?.touch()
    this.#note(message)
    const room = this.#ports.onMessage(message)
    if (room === undefined) return
    // No one receives, so Pongs are not seen either: silence means nothing now.
    this.#liveness?.suspend()
    await abortable(room, this.#stop.signal, 'wait for receiver')
    this.#liveness?.resume()
  }

  #note(message: ReceivedMessage): void {
    if (message.type === 'serverInfo') this.#letIn()
    else if (message.type === 'health') this.#problem = message.problem
    else if (message.type === 'receivedPacket' || message.type === 'pong') this.#onTraffic()
    else if (message.type === 'serverRestarting') {
      this.#restarting = { ...message, atMs: this.#ports.clock.now() }
    }
  }

  #letIn(): void {
    const link = this.#link
    if (this.#stage === 'usable' || link === undefined) return
    this.#stage = 'usable'
    this.#watchdog?.cancel()
    const { clock, times } = this.#ports
    this.#usableAtMs = clock.now()
    this.#liveness = new Liveness(clock, times, {
      ping: signal => pingOver(link, clock, signal, times.pingTimeoutMs),
      onPong: () => this.#onTraffic(),
      onDead: error => this.end('unanswered', error),
    })
    this.#ports.onUsable(link)
  }

  #onTraffic(): void {
    if (this.#isHealthy || this.#stage !== 'usable') return
    if (this.#ports.clock.now() - this.#usableAtMs < this.#ports.times.healthyAfterMs) return
    this.#isHealthy = true
    this.#ports.onHealthy()
  }
}

function notLetIn(timeoutMs: number): DerpError {
  return new DerpError('ERR_DERP_LOGIN_TIMEOUT', `connect to relay: no ServerInfo after ${timeoutMs} ms`)
}

function lost(): DerpError {
  return new DerpError('ERR_DERP_CONN_CLOSED', 'connect to relay: connection closed immediately')
}

function failed(cause: unknown): DerpError {
  return new DerpError('ERR_DERP_DIAL_FAILED', `connect to relay: ${String(cause)}`, { cause })
}
