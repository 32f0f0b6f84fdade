/**
 * Keeps one connection to the best target until stopped.
 *
 * It alone connects, and never gives up: every end of a connection leads back to the schedule.
 */

import { argumentError } from '../../keys/argument-error.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { Emitter } from '../../lib/emitter.ts'
import { sleep } from '../../lib/sleep.ts'
import type { ReceivedMessage } from '../../protocol/messages.ts'
import type { Client } from '../client.ts'
import { closedError, type Link } from '../link-keeper.ts'
import type { NetworkChange } from '../ports.ts'
import { isDuplicateProblem } from './failure-reason.ts'
import type { ResilientEvents, ResilientState } from './resilient-events.ts'
import type { ResolvedResilientOptions } from './resilient-options.ts'
import { StateReporter } from './state-reporter.ts'
import { type EndCause, type RunEnd, SupervisedConnection } from './supervised-connection.ts'
import { type Slot, TargetSchedule } from './target-schedule.ts'

/** Callbacks of a {@link Reconnector}. */
export interface ReconnectorPorts {
  readonly events: Emitter<ResilientEvents>
  /** A connection is usable, or no longer. */
  onLink(link: Link | undefined): void
  /** Receives a message; a returned promise is awaited before the next message is taken. */
  onMessage(message: ReceivedMessage, generation: number): Promise<void> | undefined
}

export class Reconnector<T> {
  readonly #options: ResolvedResilientOptions<T>
  readonly #ports: ReconnectorPorts
  readonly #schedule: TargetSchedule<T>
  readonly #clients = new Map<Slot<T>, Client>()
  readonly #stopped = new AbortController()
  readonly #report: StateReporter
  #generation = 0
  #preferred = false
  #current: { readonly slot: Slot<T>; readonly client: Client; readonly run: SupervisedConnection } | undefined
  #link: Link | undefined
  #waiting = new AbortController()
  #unsubscribe: (() => void) | undefined

  constructor(options: ResolvedResilientOptions<T>, ports: ReconnectorPorts) {
    this.#options = options
    this.#ports = ports
    this.#report = new StateReporter(ports.events, options.log)
    const { backoffMinMs, backoffMaxMs, deniedMinMs, deniedMaxMs, duplicateMs, random } = options
    const backoff = { minMs: backoffMinMs, maxMs: backoffMaxMs }
    const denied = { minMs: deniedMinMs, maxMs: deniedMaxMs }
    this.#schedule = new TargetSchedule({ backoff, denied, duplicateMs }, random)
  }

  get state(): ResilientState {
    return this.#report.state
  }

  /** The last failure; undefined while connected. */
  get error(): DerpError | undefined {
    return this.#report.error
  }

  /** Connects and keeps connecting until {@link stop}; no effect if started or stopped. */
  start(): void {
    if (this.#report.state !== 'idle') return
    this.#report.start()
    this.#unsubscribe = this.#options.netMon?.subscribe(change => this.#onNetworkChange(change))
    void this.#run()
  }

  /** Stops for good. */
  stop(): void {
    this.#stopped.abort()
    this.#report.reason = 'closed'
    this.#report.error = undefined
    this.#current?.run.end('closed', closedError())
    for (const slot of this.#clients.keys()) this.#closeClient(slot)
    this.#setLink(undefined)
    this.#report.enter('closed')
    this.#waiting.abort()
    this.#unsubscribe?.()
  }

  /** Replaces the targets; a connection to one that remains continues. */
  replaceTargets(targets: readonly T[]): void {
    if (!Array.isArray(targets)) throw argumentError('set targets', 'targets', targets, 'an array')
    for (const slot of this.#schedule.replace(targets, this.#options.isSame)) {
      if (this.#current?.slot === slot) this.#current.run.end('replaced', replaced(this.#nameOf(slot)))
      this.#closeClient(slot)
    }
    this.#waiting.abort()
  }

  /** A call has failed on a connection, which is now useless. */
  lost(link: Link, error: DerpError): void {
    if (this.#link === link) this.#current?.run.end('failed', error)
  }

  async notePreferred(preferred: boolean): Promise<void> {
    this.#preferred = preferred
    await this.#current?.client.notePreferred(preferred)
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) await this.#step()
  }

  /** Waits, or connects and stays until the connection ends. */
  async #step(): Promise<void> {
    const next = this.#schedule.next(this.#options.clock.now())
    if (next !== undefined && next.delayMs === 0) {
      await this.#visit(next.slot)
      return
    }
    // Created before listeners run, because they may end the wait.
    this.#waiting = new AbortController()
    if (next === undefined) this.#report.reason = 'noTarget'
    this.#report.enter('waiting', next && this.#nameOf(next.slot), next?.delayMs)
    await sleep(this.#options.clock, next?.delayMs ?? Number.POSITIVE_INFINITY, this.#waiting.signal)
  }

  async #visit(slot: Slot<T>): Promise<void> {
    this.#report.attempt++
    this.#schedule.begun()
    this.#report.enter('connecting', this.#nameOf(slot))
    // A listener may have closed this client or removed the target.
    if (this.#stopped.signal.aborted || !this.#schedule.slots.includes(slot)) return
    const end = await this.#runLink(slot)
    this.#current = undefined
    this.#setLink(undefined)
    if (this.#stopped.signal.aborted) return
    this.#report.error = end.error
    this.#report.reason = this.#schedule.ended(slot, end, this.#options.clock.now())
    const { reason } = this.#report
    const fields = { node: this.#nameOf(slot), reason, code: end.error.code, error: end.error.message }
    this.#options.log.info('relay connection ended', fields)
  }

  async #runLink(slot: Slot<T>): Promise<RunEnd> {
    try {
      const client = this.#clientOf(slot)
      // Stored at once, and sent if there is a connection; a failure there also ends the run.
      client.notePreferred(this.#preferred).catch(() => {})
      const run = new SupervisedConnection(client, {
        clock: this.#options.clock,
        times: this.#options,
        onUsable: link => this.#onUsable(slot, link),
        onHealthy: () => this.#onHealthy(slot),
        onMessage: message => this.#onMessage(slot, message),
      })
      this.#current = { slot, client, run }
      return await run.run()
    } catch (cause) {
      // A factory that throws counts as a failing target: another one, or a later attempt, may work.
      const error = new DerpError(
        'ERR_DERP_DIAL_FAILED',
        `make client for ${this.#nameOf(slot)}: ${(cause as Error)?.message ?? cause}`,
        { cause },
      )
      return failedEarly('failed', error)
    }
  }

  #clientOf(slot: Slot<T>): Client {
    let client = this.#clients.get(slot)
    if (client === undefined) {
      client = this.#options.createClient(slot.target)
      this.#clients.set(slot, client)
    }
    return client
  }

  #closeClient(slot: Slot<T>): void {
    const client = this.#clients.get(slot)
    this.#clients.delete(slot)
    // Its creator may already have closed it.
    client?.close().catch(() => {})
  }

  #onUsable(slot: Slot<T>, link: Link): void {
    this.#generation++
    this.#report.error = undefined
    this.#report.reason = 'accepted'
    this.#setLink(link)
    this.#report.enter('connected', this.#nameOf(slot))
  }

  #onHealthy(slot: Slot<T>): void {
    this.#report.attempt = 0
    this.#schedule.healthy(slot)
  }

  #onMessage(slot: Slot<T>, message: ReceivedMessage): Promise<void> | undefined {
    if (message.type === 'health') {
      const { problem } = message
      this.#report.emit('health', { problem, isDuplicate: isDuplicateProblem(problem), node: this.#nameOf(slot) })
    } else if (message.type === 'peerGone') {
      this.#report.emit('peerGone', { peer: message.peer, reason: message.reason, node: this.#nameOf(slot) })
    }
    return this.#ports.onMessage(message, this.#generation)
  }

  #onNetworkChange({ addresses }: NetworkChange): void {
    if (this.#current === undefined) {
      if (!this.#schedule.hasten(this.#options.clock.now())) return
      this.#report.reason = 'networkChanged'
      this.#waiting.abort()
      return
    }
    const local = this.#link?.derp.local?.address
    if (addresses === undefined || local === undefined || addresses.includes(local)) this.#current.run.probe()
    else this.#current.run.end('networkChanged', addressGone(local))
  }

  #setLink(link: Link | undefined): void {
    if (this.#link === link) return
    this.#link = link
    this.#ports.onLink(link)
  }

  /** No caller-supplied function may end the loop. */
  #nameOf({ target }: Slot<T>): string {
    try {
      return this.#options.nameOf(target)
    } catch (error) {
      this.#options.log.error('naming a target failed', { error })
      return 'unnamed'
    }
  }
}

function failedEarly(cause: EndCause, error: DerpError): RunEnd {
  return { cause, stage: 'connecting', error, isHealthy: false, problem: '', restarting: undefined }
}

function replaced(node: string): DerpError {
  return new DerpError('ERR_DERP_CONN_CLOSED', `use relay ${node}: no longer a target`)
}

function addressGone(address: string): DerpError {
  return new DerpError('ERR_DERP_CONN_CLOSED', `use connection from ${address}: the host no longer has that address`)
}
