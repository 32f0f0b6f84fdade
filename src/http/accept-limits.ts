/**
 * Which connections the listeners take, decided before any work is done for them.
 *
 * Clauses: P-108 rate, P-109 sources and numbers.
 */

import type { EventEmitter } from 'node:events'
import { type Clock, systemClock } from '../lib/clock.ts'
import { type Log, type LogFields, silentLog } from '../lib/log.ts'
import { type SourceLimit, SourceLimiter } from '../lib/source-limiter.ts'
import { sourcePrefix } from '../lib/source-prefix.ts'
import { TallyLog } from '../lib/tally-log.ts'
import { TokenBucket, type TokenBucketOptions } from '../lib/token-bucket.ts'
import { ConnectionCounters, RefusalReason } from '../metrics/connection-counters.ts'

/** What may be limited; nothing is by default. */
export interface AcceptLimitOptions {
  /** New connections of each listener. */
  readonly rate?: TokenBucketOptions | undefined
  /** New connections of each source, over all listeners. */
  readonly sourceRate?: SourceLimit | undefined
  /** Open connections of all listeners together. */
  readonly maxConnections?: number | undefined
  /** Open connections of each source. */
  readonly maxConnectionsPerSource?: number | undefined
}

/** What is needed of a socket. */
type Closing = Pick<EventEmitter, 'once'>

/** Decides for one listener. What is not taken is to be closed at once. */
export interface AcceptGate {
  /** Whether there is room for a connection whose source is not known yet; if so it is counted until it closes. */
  open(socket: Closing): boolean
  /** The system could not accept a connection: it has no descriptors or memory left, say. */
  failed(error: Error): void
  /** Whether a connection that has room may stay, now that its source is known; undefined for one that speaks for many. */
  admit(socket: Closing, address: string | undefined): boolean
}

/** The limits of all listeners of one relay. */
export class AcceptLimits {
  readonly counters: ConnectionCounters = new ConnectionCounters()
  readonly #options: AcceptLimitOptions
  readonly #clock: Clock
  readonly #sources: SourceLimiter | undefined
  readonly #openBySource = new Map<string, number>()
  readonly #refusals: TallyLog<LogFields>

  constructor(options: AcceptLimitOptions, clock: Clock = systemClock, log: Log = silentLog) {
    this.#options = options
    this.#clock = clock
    this.#sources = options.sourceRate && new SourceLimiter(options.sourceRate)
    this.#refusals = new TallyLog(clock, (refused, last) =>
      log.warn('connections refused', { refused, ...last, open: this.counters.open }),
    )
  }

  /** Sources with open connections; none are looked at without a limit on them. */
  get countedSources(): number {
    return this.#openBySource.size
  }

  /** The gate of one more listener: its rate is its own, so that a flood on one port shuts no other. */
  forListener(): AcceptGate {
    const { rate } = this.#options
    const bucket = rate && new TokenBucket(rate, this.#clock.now())
    return {
      open: socket => this.#open(socket),
      failed: ({ message }) => this.#note(RefusalReason.System, { lastError: message }),
      admit: (socket, address) => this.#admit(socket, address, bucket),
    }
  }

  #open(socket: Closing): boolean {
    const { maxConnections = Number.POSITIVE_INFINITY } = this.#options
    if (this.counters.open >= maxConnections) return this.#refuse(RefusalReason.Connections, undefined)
    this.counters.open++
    socket.once('close', () => this.counters.open--)
    return true
  }

  /** A source at its limit costs the listener nothing of its rate, which is for all. */
  #admit(socket: Closing, address: string | undefined, bucket: TokenBucket | undefined): boolean {
    const nowMs = this.#clock.now()
    const source = address === undefined || !this.#looksAtSources ? undefined : sourcePrefix(address)
    const refusal = source === undefined ? undefined : this.#judgeSource(source, nowMs)
    if (refusal !== undefined) return this.#refuse(refusal, address)
    if (bucket?.tryTake(1, nowMs) === false) return this.#refuse(RefusalReason.Rate, address)
    if (source !== undefined) this.#count(socket, source)
    this.counters.accepted++
    return true
  }

  get #looksAtSources(): boolean {
    const { sourceRate, maxConnectionsPerSource } = this.#options
    return sourceRate !== undefined || maxConnectionsPerSource !== undefined
  }

  #judgeSource(source: string, nowMs: number): RefusalReason | undefined {
    const { maxConnectionsPerSource = Number.POSITIVE_INFINITY } = this.#options
    if ((this.#openBySource.get(source) ?? 0) >= maxConnectionsPerSource) return RefusalReason.SourceConnections
    if (this.#sources?.tryTake(source, nowMs) === false) return RefusalReason.SourceRate
    return undefined
  }

  #count(socket: Closing, source: string): void {
    this.#openBySource.set(source, (this.#openBySource.get(source) ?? 0) + 1)
    socket.once('close', () => {
      const left = (this.#openBySource.get(source) ?? 1) - 1
      if (left === 0) this.#openBySource.delete(source)
      else this.#openBySource.set(source, left)
    })
  }

  #refuse(reason: RefusalReason, lastSource: string | undefined): false {
    this.#note(reason, { lastSource })
    return false
  }

  #note(reason: RefusalReason, last: LogFields): void {
    this.counters.refused[reason]++
    this.#refusals.note(reason, last)
  }
}
