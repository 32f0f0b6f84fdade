/**
 * Polls content that is in use: a valid new version replaces the old one, an invalid one leaves it in use.
 *
 * Knows nothing of files: the caller reads, this decides when to read and what to accept.
 */

import type { Clock, Timer } from '../clock.ts'

/** Source and consumer of the content. */
export interface WatchedContent<C, T> {
  /** Reads the whole content. Failures are told apart by their messages. */
  readonly read: () => Promise<C>
  /** Equal for equal content. */
  readonly identityOf: (content: C) => string
  /** @throws Error if the content is invalid. */
  readonly parse: (content: C) => T
  /** Whether the content may be half written. Default: never. */
  readonly isPartial?: (next: T, content: C) => boolean
  /** Switches to new content. @throws Error if that fails; the old content stays in use. */
  readonly use: (next: T, content: C) => void
  /** The content has not changed since it was taken into use. */
  readonly onSame: (isRequested: boolean) => void
  /** New content is not used. Called once per version, and on every requested check. */
  readonly onRejected: (error: Error) => void
}

/** In milliseconds. */
export interface WatchTimes {
  /** Between two checks. */
  readonly pollMs: number
  /** How long invalid or partial content must stay unchanged before it counts. */
  readonly settleMs: number
}

export class ContentWatch<C, T> {
  readonly #content: WatchedContent<C, T>
  readonly #clock: Clock
  readonly #times: WatchTimes
  /** Identities of the content in use, of content that has not settled yet, and of rejected content. */
  #used: string
  #unsettled: { readonly identity: string; readonly sinceMs: number } | undefined
  #rejected: string | undefined
  #timer: Timer | undefined
  #timerDueMs = Number.POSITIVE_INFINITY
  #checking: Promise<void> = Promise.resolve()
  #isClosed = false

  /** @param used the content in use. */
  constructor(content: WatchedContent<C, T>, used: C, clock: Clock, times: WatchTimes) {
    this.#content = content
    this.#clock = clock
    this.#times = times
    this.#used = content.identityOf(used)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Checks after `delayMs`, or at the scheduled time if that is earlier. */
  checkIn(delayMs: number): void {
    const dueMs = this.#clock.now() + delayMs
    if (this.#isClosed || dueMs >= this.#timerDueMs) return
    this.#timer?.cancel()
    this.#timerDueMs = dueMs
    this.#timer = this.#clock.after(delayMs, () => void this.check(false))
  }

  /**
   * Checks once running checks are done, and periodically from then on.
   *
   * @param isRequested an operator requested the check: the content is complete, and the result is reported.
   */
  check(isRequested: boolean): Promise<void> {
    this.#timer?.cancel()
    this.#timerDueMs = Number.POSITIVE_INFINITY
    this.#checking = this.#checking.then(() => (this.#isClosed ? undefined : this.#checkNow(isRequested)))
    return this.#checking
  }

  /** Stops checking. The result of a running check is dropped. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  async #checkNow(isRequested: boolean): Promise<void> {
    try {
      const content = await this.#content.read()
      if (!this.#isClosed) this.#judge(content, isRequested)
    } catch (error) {
      if (!this.#isClosed) this.#reject((error as Error).message, error as Error, isRequested)
    }
    this.checkIn(this.#times.pollMs)
  }

  #judge(content: C, isRequested: boolean): void {
    const { identityOf, parse, isPartial, use, onSame } = this.#content
    const identity = identityOf(content)
    if (identity === this.#used) {
      this.#settleOn(identity)
      onSame(isRequested)
      return
    }
    if (identity === this.#rejected && !isRequested) return
    try {
      const next = parse(content)
      if (isPartial?.(next, content) === true && !isRequested && !this.#hasSettled(identity)) return
      use(next, content)
      this.#settleOn(identity)
    } catch (error) {
      this.#reject(identity, error as Error, isRequested)
    }
  }

  #reject(identity: string, error: Error, isRequested: boolean): void {
    if (identity === this.#rejected && !isRequested) return
    if (!isRequested && !this.#hasSettled(identity)) return
    this.#rejected = identity
    this.#content.onRejected(error)
  }

  /** Whether the content has been unchanged for long enough; if not, schedules the check that will find out. */
  #hasSettled(identity: string): boolean {
    const nowMs = this.#clock.now()
    if (this.#unsettled?.identity !== identity) this.#unsettled = { identity, sinceMs: nowMs }
    const leftMs = this.#unsettled.sinceMs + this.#times.settleMs - nowMs
    if (leftMs > 0) this.checkIn(leftMs)
    return leftMs <= 0
  }

  #settleOn(identity: string): void {
    this.#used = identity
    this.#unsettled = undefined
    this.#rejected = undefined
  }
}
