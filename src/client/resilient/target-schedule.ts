/**
 * Which relay to try next, and when. Pure: time and chance are handed in.
 *
 * Every target has its own back-off, so that attempts are bounded by the number of targets however they fail. The first
 * target that is ready wins: a failed one gives way to the next at once.
 */

import { type BackoffLimits, backoffMs } from '../../lib/backoff.ts'
import { isClosedAtLogin, isDenied, isDuplicateProblem } from './failure-reason.ts'
import type { RunEnd } from './supervised-connection.ts'

/** Closed logins in a row that count as a denial: fewer may be a relay that is just going down. */
const CLOSED_LOGINS_DENIED = 3
/** Most that a relay may put a client off for, and keep it trying for, in milliseconds (P-093). */
const MAX_RECONNECT_IN_MS = 120_000
const MAX_TRY_FOR_MS = 60_000
/** Least milliseconds between two changes of the network that are acted upon. */
const NETWORK_CHANGE_PACE_MS = 5_000

/** Why the client is not connected. */
export type FailureReason =
  | 'failed'
  | 'lost'
  | 'unanswered'
  | 'denied'
  | 'duplicate'
  | 'restarting'
  | 'networkChanged'
  | 'targetsReplaced'

export interface ScheduleLimits {
  readonly backoff: BackoffLimits
  /** For relays that do not want this client. */
  readonly denied: BackoffLimits
  /** Most milliseconds to wait when the key is connected elsewhere too. */
  readonly duplicateMs: number
}

/** A target and how it has done. */
export interface Slot<T> {
  target: T
  /** In a row, without healthy traffic between them. */
  failures: number
  closedLogins: number
  denials: number
  readyAtMs: number
  /** Whether a change of the network may make it ready earlier. */
  mayHasten: boolean
  /** Until when failures count as the restart that the relay has announced (P-093). */
  restartUntilMs: number
  restartAttempts: number
}

export class TargetSchedule<T> {
  readonly #limits: ScheduleLimits
  readonly #random: () => number
  #slots: Slot<T>[] = []
  /** The only target for now, even if others are ready before it. */
  #returnTo: Slot<T> | undefined
  #networkChangeAtMs = Number.NEGATIVE_INFINITY

  constructor(limits: ScheduleLimits, random: () => number) {
    this.#limits = limits
    this.#random = random
  }

  get slots(): readonly Slot<T>[] {
    return this.#slots
  }

  /**
   * Takes new targets, the best first; those that `isSame` finds among the old keep their record.
   *
   * @returns the slots that are no more.
   */
  replace(targets: readonly T[], isSame: (a: T, b: T) => boolean): Slot<T>[] {
    const left = new Set(this.#slots)
    this.#slots = targets.map(target => {
      const kept = [...left].find(slot => isSame(slot.target, target))
      if (kept === undefined) return newSlot(target)
      left.delete(kept)
      kept.target = target
      return kept
    })
    if (this.#returnTo !== undefined && left.has(this.#returnTo)) this.#returnTo = undefined
    return [...left]
  }

  /** The target to try next, and the milliseconds until then; undefined without targets. */
  next(nowMs: number): { readonly slot: Slot<T>; readonly delayMs: number } | undefined {
    let best = this.#returnTo
    if (best === undefined) {
      for (const slot of this.#slots) {
        if (best === undefined || Math.max(slot.readyAtMs, nowMs) < Math.max(best.readyAtMs, nowMs)) best = slot
      }
    }
    return best && { slot: best, delayMs: Math.max(0, best.readyAtMs - nowMs) }
  }

  /** An attempt at `slot` begins. */
  begun(): void {
    this.#returnTo = undefined
  }

  /** Its connection has carried traffic for a while: earlier failures count no more. */
  healthy(slot: Slot<T>): void {
    slot.failures = 0
    slot.closedLogins = 0
    slot.denials = 0
    slot.restartUntilMs = 0
    slot.restartAttempts = 0
  }

  /** Its connection has ended: notes when it may be tried again, and says why it was. */
  ended(slot: Slot<T>, end: RunEnd, nowMs: number): FailureReason {
    if (!this.#slots.includes(slot)) return 'targetsReplaced'
    slot.closedLogins = isClosedAtLogin(end) ? slot.closedLogins + 1 : 0
    if (this.#awaitsRestart(slot, end, nowMs)) return 'restarting'
    slot.mayHasten = true
    if (isDenied(end) || slot.closedLogins >= CLOSED_LOGINS_DENIED) return this.#denied(slot, nowMs)
    if (end.cause === 'networkChanged' && this.#takesNetworkChange(nowMs)) {
      this.#returnTo = slot
      slot.readyAtMs = nowMs
      return 'networkChanged'
    }
    slot.failures++
    slot.readyAtMs = nowMs + backoffMs(slot.failures, this.#limits.backoff, this.#random)
    if (isDuplicateProblem(end.problem)) return this.#duplicate(slot, nowMs)
    this.#putOff(slot, end)
    if (end.cause === 'unanswered') return 'unanswered'
    if (end.stage !== 'usable') return 'failed'
    // Relays of a region expect their clients on the first node, so a good connection is made anew where it was.
    if (end.isHealthy) this.#returnTo = slot
    return 'lost'
  }

  /** The network has changed: what failed may work now. Reports whether that makes a difference. */
  hasten(nowMs: number): boolean {
    const soonMs = nowMs + backoffMs(1, this.#limits.backoff, this.#random)
    const late = this.#slots.filter(slot => slot.mayHasten && slot.readyAtMs > soonMs)
    if (late.length === 0 || !this.#takesNetworkChange(nowMs)) return false
    for (const slot of late) slot.readyAtMs = soonMs
    return true
  }

  /** A relay that has announced its restart is waited for, without counting failures, within bounds (P-093). */
  #awaitsRestart(slot: Slot<T>, { restarting, isHealthy }: RunEnd, nowMs: number): boolean {
    let readyAtMs = nowMs + backoffMs(slot.restartAttempts + 1, this.#limits.backoff, this.#random)
    // From a connection that was not healthy it would be a way to have clients connect without end.
    if (restarting !== undefined && isHealthy) {
      readyAtMs = backAtMs(restarting)
      slot.restartUntilMs = readyAtMs + Math.min(restarting.tryForMs, MAX_TRY_FOR_MS)
      slot.restartAttempts = 0
    } else slot.restartAttempts++
    if (Math.max(readyAtMs, nowMs) >= slot.restartUntilMs) return false
    slot.readyAtMs = readyAtMs
    slot.closedLogins = 0
    slot.mayHasten = false
    this.#returnTo = slot
    return true
  }

  /** Without its trust, a relay's announcement still says when not to come. */
  #putOff(slot: Slot<T>, { restarting }: RunEnd): void {
    if (restarting === undefined) return
    slot.readyAtMs = Math.max(slot.readyAtMs, backAtMs(restarting))
    slot.mayHasten = false
  }

  #denied(slot: Slot<T>, nowMs: number): FailureReason {
    slot.denials++
    slot.readyAtMs = nowMs + backoffMs(slot.denials, this.#limits.denied, this.#random)
    slot.mayHasten = false
    return 'denied'
  }

  /** Another node would only move the quarrel there: all wait. */
  #duplicate(slot: Slot<T>, nowMs: number): FailureReason {
    const { duplicateMs } = this.#limits
    const waitMs = backoffMs(1, { minMs: duplicateMs, maxMs: duplicateMs }, this.#random)
    slot.readyAtMs = Math.max(slot.readyAtMs, nowMs + waitMs)
    slot.mayHasten = false
    this.#returnTo = slot
    return 'duplicate'
  }

  #takesNetworkChange(nowMs: number): boolean {
    if (nowMs - this.#networkChangeAtMs < NETWORK_CHANGE_PACE_MS) return false
    this.#networkChangeAtMs = nowMs
    return true
  }
}

function backAtMs({ atMs, reconnectInMs }: NonNullable<RunEnd['restarting']>): number {
  return atMs + Math.min(reconnectInMs, MAX_RECONNECT_IN_MS)
}

function newSlot<T>(target: T): Slot<T> {
  return {
    target,
    failures: 0,
    closedLogins: 0,
    denials: 0,
    readyAtMs: Number.NEGATIVE_INFINITY,
    mayHasten: true,
    restartUntilMs: 0,
    restartAttempts: 0,
  }
}
