/**
 * Shares the event loop among connections, so that no one's input delays the others'.
 *
 * What arrives within a connection's {@link TurnBudget} is handled at once. A connection with more stops reading and
 * waits here; all that wait go on one after the other, for a limited part of each turn.
 */

import type { Clock } from '../lib/clock.ts'
import { Fifo } from '../lib/collections/fifo.ts'

/** The part of a turn for those that waited, in milliseconds and in connections. */
const SHARE_MS = 2
const SHARE_CONNECTIONS = 32

export class TurnShare {
  readonly #clock: Clock
  readonly #waiting = new Fifo<() => void>()
  #turn = 0
  #willEnd = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Number of the current turn. */
  get turn(): number {
    if (!this.#willEnd) this.#endAfterTurn()
    return this.#turn
  }

  /** Number of connections that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Calls `proceed` in a later turn, after those that wait already. */
  wait(proceed: () => void): void {
    this.#waiting.push(proceed)
    if (!this.#willEnd) this.#endAfterTurn()
  }

  #endAfterTurn(): void {
    this.#willEnd = true
    this.#clock.afterTurn(() => this.#endTurn())
  }

  #endTurn(): void {
    this.#willEnd = false
    this.#turn++
    const count = Math.min(this.#waiting.length, SHARE_CONNECTIONS)
    const endMs = this.#clock.now() + SHARE_MS
    for (let done = 0; done < count; done++) {
      this.#waiting.take()?.()
      if (this.#clock.now() > endMs) break
    }
    if (this.#waiting.length > 0 && !this.#willEnd) this.#endAfterTurn()
  }
}

const shares = new WeakMap<Clock, TurnShare>()

/** The share of all connections with this clock. */
export function turnShareOf(clock: Clock): TurnShare {
  let share = shares.get(clock)
  if (share === undefined) {
    share = new TurnShare(clock)
    shares.set(clock, share)
  }
  return share
}

/** What one connection may handle in a turn before it has to wait. */
export interface TurnLimits {
  /** Pieces of input, whatever their size. */
  readonly pieces: number
  readonly bytes: number
}

export class TurnBudget {
  readonly #share: TurnShare
  readonly #limits: TurnLimits
  #turn = -1
  #pieces = 0
  #bytes = 0

  constructor(share: TurnShare, limits: TurnLimits) {
    this.#share = share
    this.#limits = limits
  }

  /** Charges input that is being handled; returns whether more may be handled in this turn. */
  charge(pieces: number, bytes: number): boolean {
    const { turn } = this.#share
    if (turn !== this.#turn) this.renew(turn)
    this.#pieces += pieces
    this.#bytes += bytes
    return !this.isSpent
  }

  /** Whether nothing more may be handled in the turn of the last charge. */
  get isSpent(): boolean {
    return this.#pieces >= this.#limits.pieces || this.#bytes >= this.#limits.bytes
  }

  /** Starts a new budget, after a wait. */
  renew(turn: number = this.#share.turn): void {
    this.#turn = turn
    this.#pieces = 0
    this.#bytes = 0
  }
}

/** Connections with one budget, and one place among those that wait. */
export class TurnGroup {
  readonly #share: TurnShare
  readonly #budget: TurnBudget
  readonly #waiting = new Fifo<() => void>()
  #hasPlace = false

  constructor(share: TurnShare, limits: TurnLimits) {
    this.#share = share
    this.#budget = new TurnBudget(share, limits)
  }

  /** Charges one piece of a member's input; returns whether more may be handled in this turn. */
  charge(): boolean {
    return this.#budget.charge(1, 0)
  }

  /** Calls `proceed` when the group has its turn, after the members that wait already. */
  wait(proceed: () => void): void {
    this.#waiting.push(proceed)
    this.#takePlace()
  }

  #takePlace(): void {
    if (this.#hasPlace) return
    this.#hasPlace = true
    this.#share.wait(() => this.#proceed())
  }

  #proceed(): void {
    this.#hasPlace = false
    this.#budget.renew()
    // Connections that wait again meanwhile are queued behind the others.
    do this.#waiting.take()?.()
    while (this.#waiting.length > 0 && !this.#budget.isSpent)
    if (this.#waiting.length > 0) this.#takePlace()
  }
}
