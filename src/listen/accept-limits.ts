/**
 * Decides which connections the listeners accept, before any work is done for them.
 *
 * Clauses: P-108 rate, P-109 sources, numbers and memory.
 */

import type { EventEmitter } from 'node:events'
import { type Clock, systemClock } from '../lib/clock.ts'
import { type Log, type LogFields, silentLog } from '../lib/log.ts'
import type { SourceLimit } from '../lib/rate/source-limiter.ts'
import { sourcePrefix } from '../lib/rate/source-prefix.ts'
import type { TokenBucketOptions } from '../lib/rate/token-bucket.ts'
import { TallyLog } from '../lib/tally-log.ts'
import { ConnectionCounters, RefusalReason } from '../metrics/connection-counters.ts'
import { type AcceptTally, LocalTally, type Rate } from './accept-tally.ts'

/** Limits; none by default. */
export interface AcceptLimitOptions {
  /** Rate of new connections per listener. */
  readonly rate?: TokenBucketOptions | undefined
  /** Rate of new connections per source, across all listeners. */
  readonly sourceRate?: SourceLimit | undefined
  /** Maximum open connections of all listeners together. */
  readonly maxConnections?: number | undefined
  /** Maximum open connections per source: an IPv4 address, or an IPv6 /64. */
  readonly maxConnectionsPerSource?: number | undefined
}

/** The required part of a socket. */
type Closing = Pick<EventEmitter, 'on'>

/** The limits of one listener. Refused connections are to be closed at once. */
export interface AcceptGate {
  /** Whether there is room for a connection whose source is not known yet; if so it is counted until it closes. */
  open(socket: Closing): boolean
  /** The system could not accept a connection, for lack of descriptors or memory. */
  failed(error: Error): void
  /** Whether a connection may stay now that its source is known; undefined for a proxy that serves many clients. */
  admit(socket: Closing, address: string | undefined): boolean
}

/**
 * The limits of all listeners of one thread; with a shared tally, together with other threads.
 *
 * @example
 * ```ts
 * const limits = new AcceptLimits({
 *   rate: { perSecond: 200, burst: 400 },
 *   maxConnections: 20_000,
 *   maxConnectionsPerSource: 100,
 * })
 * const { routes } = createRelay({ privateKey })
 * await createHttpListener({ routes, acceptTimeoutMs: 10_000, limits }).listen(3340)
 * ```
 */
export class AcceptLimits {
  /** Counters of this thread's listeners. */
  readonly counters: ConnectionCounters = new ConnectionCounters()
  readonly #options: AcceptLimitOptions
  readonly #clock: Clock
  readonly #tally: AcceptTally
  readonly #hasRoom: () => boolean
  readonly #refusals: TallyLog<LogFields>

  /**
   * @param tally counts the connections. Default: those of this thread.
   * @param hasRoom whether there is memory for another connection. Default: always.
   * @throws RangeError for an invalid rate per source.
   */
  constructor(
    options: AcceptLimitOptions,
    clock: Clock = systemClock,
    log: Log = silentLog,
    tally: AcceptTally = new LocalTally(options.sourceRate),
    hasRoom: () => boolean = () => true,
  ) {
    this.#options = options
    this.#clock = clock
    this.#tally = tally
    this.#hasRoom = hasRoom
    this.#refusals = new TallyLog(clock, (refused, last) =>
      log.warn('connections refused', { refused, ...last, open: tally.open }),
    )
  }

  /** Limits for another listener: its rate is separate, so that a flood on one port does not block others. */
  forListener(): AcceptGate {
    const { rate } = this.#options
    const own = rate && this.#tally.createRate(rate, this.#clock.now())
    return {
      open: socket => this.#open(socket),
      failed: ({ message }) => this.#note(RefusalReason.System, { lastError: message }),
      admit: (socket, address) => this.#admit(socket, address, own),
    }
  }

  #open(socket: Closing): boolean {
    const { maxConnections = Number.POSITIVE_INFINITY } = this.#options
    if (!this.#hasRoom()) return this.#noteRefusal(RefusalReason.Memory, undefined)
    if (!this.#tally.tryOpen(maxConnections)) return this.#noteRefusal(RefusalReason.Connections, undefined)
    this.counters.open++
    // Closes once: what `once` wraps a listener in would stay as long as the connection.
    socket.on('close', this.#onClose)
    return true
  }

  readonly #onClose = (): void => {
    this.counters.open--
    this.#tally.close()
  }

  /** A source at its limit does not use up the listener's rate, which is for all. */
  #admit(socket: Closing, address: string | undefined, rate: Rate | undefined): boolean {
    const nowMs = this.#clock.now()
    const source = address === undefined || !this.#looksAtSources ? undefined : sourcePrefix(address)
    const refusal = this.#judge(source, rate, nowMs)
    if (refusal !== undefined) return this.#noteRefusal(refusal, address)
    if (source !== undefined) socket.on('close', () => this.#tally.closeOf(source))
    this.counters.accepted++
    return true
  }

  get #looksAtSources(): boolean {
    const { sourceRate, maxConnectionsPerSource } = this.#options
    return sourceRate !== undefined || maxConnectionsPerSource !== undefined
  }

  /** Decides, and counts the connection unless it is refused. */
  #judge(source: string | undefined, rate: Rate | undefined, nowMs: number): RefusalReason | undefined {
    const { maxConnectionsPerSource = Number.POSITIVE_INFINITY } = this.#options
    if (source === undefined) return rate?.tryTake(1, nowMs) === false ? RefusalReason.Rate : undefined
    if (!this.#tally.tryOpenOf(source, maxConnectionsPerSource)) return RefusalReason.SourceConnections
    let refusal: RefusalReason | undefined
    if (!this.#tally.tryTakeOf(source, nowMs)) refusal = RefusalReason.SourceRate
    else if (rate?.tryTake(1, nowMs) === false) refusal = RefusalReason.Rate
    if (refusal !== undefined) this.#tally.closeOf(source)
    return refusal
  }

  #noteRefusal(reason: RefusalReason, lastSource: string | undefined): false {
    this.#note(reason, { lastSource })
    return false
  }

  #note(reason: RefusalReason, last: LogFields): void {
    this.counters.refused[reason]++
    this.#refusals.note(reason, last)
  }
}
