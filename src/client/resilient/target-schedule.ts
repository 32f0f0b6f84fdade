/**
 * Which relay to try next, and when. Pure: time and randomness are passed in.
 *
 * Every target has its own back-off, so that attempts are bounded by the number of targets however they fail. The first
 * ready target wins: a failed one yields to the next at once.
 */

import { type BackoffLimits, backoffMs } from '../../lib/backoff.ts'
import { isClosedAtLogin, isDenied, isDuplicateProblem } from './failure-reason.ts'
import type { RunEnd } from './supervised-connection.ts'

/** Consecutive closed logins that count as a denial: fewer may be a relay shutting down. */
const CLOSED_LOGINS_DENIED = 3
/** Maximum milliseconds that a relay may delay a client, and keep it retrying (P-093). */
const MAX_RECONNECT_IN_MS = 120_000
const MAX_TRY_FOR_MS = 60_000
/** Minimum milliseconds between two network changes that are acted on. */
const NETWORK_CHANGE_PACE_MS = 5_000

/** Why the client is not connected. */
export type FailureReason =
  /** An attempt failed. */
  | 'failed'
  /** The connection broke. */
  | 'lost'
  /** The relay no longer responds. */
  | 'unanswered'
  /** The relay refuses this client. */
  | 'denied'
  /** The relay said that the key is connected elsewhere too, and closed. */
  | 'duplicate'
  /** The relay announced that it restarts. */
  | 'restarting'
  /** The host's network changed. */
  | 'networkChanged'
  /** The relay is no longer a target. */
  | 'targetsReplaced'

export interface ScheduleLimits {
  readonly backoff: BackoffLimits
  /** For relays that refuse this client. */
  readonly denied: BackoffLimits
  /** Maximum milliseconds to wait if the key is connected elsewhere too. */
  readonly duplicateMs: number
}

/** A target and its record. */
export interface Slot<T> {
  target: T
  /** Consecutive failures, without healthy traffic in between. */
  failures: number
  closedLogins: number
  denials: number
  readyAtMs: number
  /** Whether a network change may make it ready earlier. */
  mayHasten: boolean
  /** Until when failures count as the announced restart (P-093). */
  restartUntilMs: number
  restartAttempts: number
}

/** The record of a target that works. */
const NO_FAILURES = { failures: 0, closedLogins: 0, denials: 0, restartUntilMs: 0, restartAttempts: 0 }

export class TargetSchedule<T> {
  readonly #limits: ScheduleLimits
  readonly #random: () => number
  #slots: Slot<T>[] = []
  /** The only target until it has been tried, even if others are ready earlier. */
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
   * Replaces the targets, best first; those that `isSame` matches keep their record.
   *
   * @returns the removed slots.
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

  /** The next target and the milliseconds until then; undefined without targets. */
  next(nowMs: number): { readonly slot: Slot<T>; readonly delayMs: number } | undefined {
    let best = this.#returnTo
    if (best === undefined) {
      for (const slot of this.#slots) {
        if (best === undefined || Math.max(slot.readyAtMs, nowMs) < Math.max(best.readyAtMs, nowMs)) best = slot
      }
    }
    return best && { slot: best, delayMs: Math.max(0, best.readyAtMs - nowMs) }
  }

  /** An attempt at `slot` starts. */
  begun(): void {
    this.#returnTo = undefined
  }

  /** Its connection has carried traffic for a while: resets earlier failures. */
  healthy(slot: Slot<T>): void {
    Object.assign(slot, NO_FAILURES)
  }

  /** Its connection has ended: schedules its next attempt, and returns the reason. */
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
    // Relays of a region expect their clients on the first node, so a healthy connection is re-established where it was.
    if (end.isHealthy) this.#returnTo = slot
    return 'lost'
  }

  /** The network has changed: failed targets may work now. Returns whether that makes a difference. */
  hasten(nowMs: number): boolean {
    const soonMs = nowMs + backoffMs(1, this.#limits.backoff, this.#random)
    const late = this.#slots.filter(slot => slot.mayHasten && slot.readyAtMs > soonMs)
    if (late.length === 0 || !this.#takesNetworkChange(nowMs)) return false
    for (const slot of late) slot.readyAtMs = soonMs
    return true
  }

  /** Waits for a relay that announced its restart, without counting failures, within limits (P-093). */
  #awaitsRestart(slot: Slot<T>, { restarting, isHealthy }: RunEnd, nowMs: number): boolean {
    let readyAtMs = nowMs + backoffMs(slot.restartAttempts + 1, this.#limits.backoff, this.#random)
    // From an unhealthy connection this would make clients reconnect endlessly.
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

  /** Even an untrusted announcement says when not to return. */
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

  /** Another node would only move the conflict there: all targets wait. */
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
  return { ...NO_FAILURES, target, readyAtMs: Number.NEGATIVE_INFINITY, mayHasten: true }
}
