/**
 * Delays a client: its frames stay unread as long as its rate limit says (P-103), until its fair share of the rate of all
 * clients allows them (P-105), or until all workers know something.
 */

import type { Timer } from '../../lib/clock.ts'
import { ProtocolError } from '../../lib/derp-error.ts'
import type { RelayCounters } from '../../metrics/counters.ts'
import type { FrameDecoder } from '../../protocol/frame-decoder.ts'
import { frameTypeName } from '../../protocol/frame-type.ts'
import type { Health } from '../health.ts'
import type { ResolvedRelayCoreOptions } from '../options.ts'
import type { FairShare } from './fair-share.ts'
import { frameCost, type RateLimit, ReadLimit } from './rate-limit.ts'

/** After this long without a wait, a client no longer counts as rate-limited. */
const UNLIMITED_AFTER_MS = 10_000

/** What the pacers of a relay share. */
export interface PacerHost {
  readonly options: Pick<ResolvedRelayCoreOptions, 'clock'>
  readonly counters: RelayCounters
  readonly fairShare: FairShare | undefined
}

interface Wait {
  /** Undefined if the wait does not end by itself. */
  readonly timer: Timer | undefined
  readonly isForLimit: boolean
  readonly goOn: () => void
}

export class ReadPacer {
  readonly #host: PacerHost
  readonly #isExempt: boolean
  readonly #health: Health | undefined
  #limit: ReadLimit | undefined
  #wait: Wait | undefined
  #calm: Timer | undefined

  /**
   * @param health told while the client is rate-limited.
   * @param isExempt whether the client is free of the rate of all clients together, as mesh peers are.
   */
  constructor(host: PacerHost, health: Health | undefined, isExempt: boolean) {
    this.#host = host
    this.#isExempt = isExempt
    this.#health = health
  }

  get isWaiting(): boolean {
    return this.#wait !== undefined
  }

  /** Sets the limit from now on; a wait under an older one ends at once. */
  setLimit(limit: RateLimit | undefined): void {
    this.#limit = limit === undefined ? undefined : new ReadLimit(limit, this.#host.options.clock.now())
    const waiting = this.#wait
    if (waiting?.isForLimit !== true) return
    waiting.timer?.cancel()
    this.#wait = undefined
    waiting.goOn()
  }

  /**
   * A skipped frame may have any length, but only so much of it can be charged.
   *
   * @throws ProtocolError for one with more, if what the client sends is limited.
   */
  assertWhollyCharged({ type, length }: Pick<FrameDecoder, 'type' | 'length'>): void {
    const most = frameCost(length)
    if (length === most || (this.#limit === undefined && !this.#isSharing)) return
    const reason = `skip frame ${frameTypeName(type)} of ${length} bytes: more than ${most}, and there is a rate limit`
    throw new ProtocolError('ERR_DERP_FRAME_TOO_LONG', reason, { clause: 'P-002' })
  }

  /**
   * Charges a frame with this body length.
   *
   * @param goOn called when the frame may be handled, if not now.
   * @returns whether it must wait.
   */
  mustWait(length: number, goOn: () => void): boolean {
    const { clock } = this.#host.options
    const waitMs = this.#limit?.charge(length, clock.now()) ?? 0
    if (waitMs === 0) return this.#mustShare(length, goOn)
    this.#host.counters.rateLimitWaits++
    const shareThenGoOn = () => {
      if (!this.#mustShare(length, goOn)) goOn()
    }
    const timer = clock.after(waitMs, () => {
      this.#wait = undefined
      shareThenGoOn()
    })
    this.#wait = { timer, isForLimit: true, goOn: shareThenGoOn }
    if (this.#health !== undefined) this.#tell(this.#health, waitMs)
    return true
  }

  /** Waits for `known`, then calls `goOn`. */
  waitFor(known: Promise<void>, goOn: () => void): void {
    const wait = { timer: undefined, isForLimit: false, goOn }
    this.#wait = wait
    void known.then(() => {
      if (this.#wait !== wait) return
      this.#wait = undefined
      goOn()
    })
  }

  /** Makes the current wait, if any, permanent. */
  stop(): void {
    this.#wait?.timer?.cancel()
    if (this.#wait !== undefined) this.#wait = { timer: undefined, isForLimit: false, goOn: () => {} }
    this.#calm?.cancel()
  }

  get #isSharing(): boolean {
    return this.#host.fairShare !== undefined && !this.#isExempt
  }

  /** Returns whether the frame waits for its share; then `goOn` is called. */
  #mustShare(length: number, goOn: () => void): boolean {
    const { fairShare, counters } = this.#host
    if (fairShare === undefined || !this.#isSharing) return false
    const timer = fairShare.take(frameCost(length), () => {
      this.#wait = undefined
      goOn()
    })
    if (timer === undefined) return false
    counters.totalRateWaits++
    this.#wait = { timer, isForLimit: false, goOn }
    return true
  }

  #tell(health: Health, waitMs: number): void {
    health.set('limited', true)
    this.#calm?.cancel()
    this.#calm = this.#host.options.clock.after(waitMs + UNLIMITED_AFTER_MS, () => health.set('limited', false))
  }
}
