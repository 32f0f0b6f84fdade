/**
 * One connection of a client that keeps connected, from the dial to its end.
 *
 * The connection counts as usable once ServerInfo has come: only then has the relay let us in (P-036). It counts as
 * healthy once it has carried a packet or answered a ping after a while: only then may earlier failures be forgotten.
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

/** Why a run has ended. */
export type EndCause =
  /** The attempt failed, or the connection broke. */
  | 'failed'
  /** The other side answers no more. */
  | 'unanswered'
  /** The host's network has changed below it. */
  | 'networkChanged'
  /** The relay is no target any more. */
  | 'replaced'
  | 'closed'

/** How far a run has come. */
export type Stage = 'connecting' | 'loggingIn' | 'usable'

/** What is known of a run when it is over. */
export interface RunEnd {
  readonly cause: EndCause
  readonly stage: Stage
  readonly error: DerpError
  /** Whether it was healthy. */
  readonly isHealthy: boolean
  /** What the relay said last to be wrong; empty when nothing was (P-092). */
  readonly problem: string
  /** The relay's announcement that it goes away, if there was one (P-093). */
  readonly restarting: (ServerRestartingMessage & { readonly atMs: number }) | undefined
}

/** Times of a run, in milliseconds. */
export interface RunTimes {
  /** From the beginning to ServerInfo. */
  readonly attemptTimeoutMs: number
  /** From ServerInfo to the earliest time at which traffic makes the connection healthy. */
  readonly healthyAfterMs: number
  readonly pingIntervalMs: number
  readonly pingTimeoutMs: number
}

/** What a run needs of its owner. */
export interface RunPorts {
  readonly clock: Clock
  readonly times: RunTimes
  onUsable(link: Link): void
  onHealthy(): void
  /** Takes a message; what it gives is waited for before the next one is taken. */
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

  /** Runs to the end, and leaves no connection. Never rejects. */
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

  /** Ends the run; the first cause counts. */
  end(cause: EndCause, error: DerpError): void {
    if (this.#stop.signal.aborted) return
    this.#cause = cause
    this.#stop.abort(error)
    if (this.#link !== undefined) dropLink(this.#client, this.#link, error)
  }

  /** Asks the other side for a sign of life now. */
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
    // Nobody takes messages, so Pongs are not seen either: silence says nothing now.
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
  return new DerpError('ERR_DERP_CONN_CLOSED', 'connect to relay: connection closed at once')
}

function failed(cause: unknown): DerpError {
  return new DerpError('ERR_DERP_DIAL_FAILED', `connect to relay: ${String(cause)}`, { cause })
}
