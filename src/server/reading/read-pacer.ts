/**
 * Delays reading from a client: by its rate limit (P-103), its fair share of the total rate (P-105), its limit per turn of
 * the event loop (P-111), or until all workers have been notified.
 */

import type { NodePublicKey } from '../../keys/node-key.ts'
import type { Timer } from '../../lib/clock.ts'
import { ProtocolError } from '../../lib/derp-error.ts'
import type { RelayCounters } from '../../metrics/counters.ts'
import type { FrameDecoder } from '../../protocol/frame-decoder.ts'
import { frameTypeName } from '../../protocol/frame-type.ts'
import { TurnBudget, type TurnGroup, type TurnShare, turnShareOf } from '../../transport/turn-share.ts'
import type { Health } from '../health.ts'
import type { ResolvedRelayCoreOptions } from '../options.ts'
import type { FairShare, ShareAccount } from './fair-share.ts'
import { type KeyTurns, TURN_LIMITS } from './key-turns.ts'
import { frameCost, MIN_CHARGE_BYTES, type RateLimit, ReadLimit } from './rate-limit.ts'

/** After this long without a wait, a client no longer counts as rate-limited. */
const UNLIMITED_AFTER_MS = 10_000

/** State shared by the pacers of a relay. */
export interface PacerHost {
  readonly options: Pick<ResolvedRelayCoreOptions, 'clock'>
  readonly counters: RelayCounters
  readonly fairShare: FairShare | undefined
  readonly keyTurns: KeyTurns
}

/** The client whose frames are delayed. */
export interface PacedClient {
  readonly key: NodePublicKey
  /** Notified while the client is rate-limited. */
  readonly health: Health | undefined
  /** The client carries traffic of many: exempt from sharing limits. */
  readonly canMesh: boolean
  readonly tally: { heldBackMs: number }
}

interface Wait {
  /** Undefined if the wait does not end by itself. */
  readonly timer: Timer | undefined
  readonly isForLimit: boolean
  readonly proceed: () => void
}

const PERMANENT: Wait = { timer: undefined, isForLimit: false, proceed: () => {} }

export class ReadPacer {
  readonly #host: PacerHost
  readonly #client: PacedClient
  readonly #turns: TurnShare
  readonly #budget: TurnBudget
  /** Shared with other connections of the key, once there were any. */
  #group: TurnGroup | undefined
  #limit: ReadLimit | undefined
  #wait: Wait | undefined
  #calm: Timer | undefined
  readonly #account: ShareAccount = { end: undefined }

  constructor(host: PacerHost, client: PacedClient) {
    this.#host = host
    this.#client = client
    this.#turns = turnShareOf(host.options.clock)
    this.#budget = new TurnBudget(this.#turns, TURN_LIMITS)
  }

  get isWaiting(): boolean {
    return this.#wait !== undefined
  }

  /** Sets the limit from now on; ends a wait under the old one. */
  setLimit(limit: RateLimit | undefined): void {
    this.#limit = limit === undefined ? undefined : new ReadLimit(limit, this.#host.options.clock.now())
    const waiting = this.#wait
    if (waiting?.isForLimit !== true) return
    waiting.timer?.cancel()
    this.#wait = undefined
    waiting.proceed()
  }

  /**
   * A skipped frame may have any length, but the charge has a maximum.
   *
   * @throws ProtocolError for a longer one, if the client is rate-limited.
   */
  assertWhollyCharged({ type, length }: Pick<FrameDecoder, 'type' | 'length'>): void {
    const most = frameCost(length)
    if (length <= most || (this.#limit === undefined && this.#fairShare === undefined)) return
    const reason = `skip frame ${frameTypeName(type)} of ${length} bytes: more than ${most}, and there is a rate limit`
    throw new ProtocolError('ERR_DERP_FRAME_TOO_LONG', reason, { clause: 'P-002' })
  }

  /**
   * Charges a frame with this body length.
   *
   * @param proceed called when the frame may be handled, if not now.
   * @returns whether it must wait.
   */
  mustWait(length: number, proceed: () => void): boolean {
    return this.#mustPay(frameCost(length), proceed)
  }

  /**
   * Charges a read with few or no bytes, which costs more than its bytes.
   *
   * @param proceed called when reading may continue, if not now; during another wait the next frame waits longer instead.
   * @returns whether it must wait.
   */
  mustWaitAfterRead(length: number, proceed: () => void): boolean {
    const costBytes = MIN_CHARGE_BYTES - length
    if (costBytes <= 0) return false
    if (!this.isWaiting) return this.#mustPay(costBytes, proceed)
    this.#limit?.charge(costBytes, this.#host.options.clock.now())
    return false
  }

  /**
   * Notes that a frame has been handled.
   *
   * @param isDuplicate whether other connections have the same key.
   * @param proceed called when the next frame may be handled, if not in this turn.
   * @returns whether it must wait.
   */
  mustYield(isDuplicate: boolean, proceed: () => void): boolean {
    if (this.#client.canMesh || this.isWaiting) return false
    if (isDuplicate) this.#group ??= this.#host.keyTurns.join(this.#client.key)
    const group = this.#group
    if (group === undefined ? this.#budget.charge(1, 0) : group.charge()) return false
    const wait = { timer: undefined, isForLimit: false, proceed }
    this.#wait = wait
    const line = group ?? this.#turns
    line.wait(() => this.#end(wait))
    return true
  }

  #mustPay(costBytes: number, proceed: () => void): boolean {
    const { clock } = this.#host.options
    const waitMs = this.#limit?.charge(costBytes, clock.now()) ?? 0
    if (waitMs === 0) return this.#mustShare(costBytes, proceed)
    this.#host.counters.rateLimitWaits++
    const shareThenProceed = () => {
      if (!this.#mustShare(costBytes, proceed)) proceed()
    }
    const timer = clock.after(waitMs, () => {
      this.#wait = undefined
      shareThenProceed()
    })
    this.#wait = { timer, isForLimit: true, proceed: shareThenProceed }
    if (this.#client.health !== undefined) this.#tell(this.#client.health, waitMs)
    return true
  }

  /** Waits for `known`, then calls `proceed`. */
  waitFor(known: Promise<void>, proceed: () => void): void {
    const wait = { timer: undefined, isForLimit: false, proceed }
    this.#wait = wait
    void known.then(() => this.#end(wait))
  }

  /** Makes the current wait, if any, permanent. */
  stop(): void {
    this.#wait?.timer?.cancel()
    if (this.#wait !== undefined) this.#wait = PERMANENT
    this.#calm?.cancel()
    if (this.#group === undefined) return
    this.#group = undefined
    this.#host.keyTurns.leave(this.#client.key)
  }

  /** Undefined for no limit: mesh peers have none. */
  get #fairShare(): FairShare | undefined {
    return this.#client.canMesh ? undefined : this.#host.fairShare
  }

  #end(wait: Wait): void {
    if (this.#wait !== wait) return
    this.#wait = undefined
    wait.proceed()
  }

  /** Returns whether the client waits for its share; then `proceed` is called. */
  #mustShare(costBytes: number, proceed: () => void): boolean {
    const { counters, options } = this.#host
    const fairShare = this.#fairShare
    if (fairShare === undefined) return false
    const beganAtMs = options.clock.now()
    const timer = fairShare.take(this.#account, costBytes, () => {
      const waitedMs = options.clock.now() - beganAtMs
      this.#client.tally.heldBackMs += waitedMs
      counters.totalRateWaitMs += waitedMs
      this.#wait = undefined
      proceed()
    })
    if (timer === undefined) return false
    counters.totalRateWaits++
    this.#wait = { timer, isForLimit: false, proceed }
    return true
  }

  #tell(health: Health, waitMs: number): void {
    health.set('limited', true)
    this.#calm?.cancel()
    this.#calm = this.#host.options.clock.after(waitMs + UNLIMITED_AFTER_MS, () => health.set('limited', false))
  }
}
