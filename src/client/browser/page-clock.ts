/**
 * A clock for pages: browsers delay timers of background pages, and stop those of frozen ones.
 *
 * When a timer fires very late, messages from the relay are still queued behind it. It then waits a moment for them, so
 * that a page that wakes up does not mistake its own sleep for silence of the relay.
 */

import { type Clock, systemClock, type Timer } from '../../lib/clock.ts'

/** Lateness in milliseconds that means the page was frozen or throttled: more than on a busy page. */
const FROZEN_MS = 2_000
/** Milliseconds to read queued messages. */
const GRACE_MS = 1_000

/** @param clock the underlying clock. Default: the platform's. */
export function createPageClock(clock: Clock = systemClock): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    afterTurn: fn => clock.afterTurn(fn),
    after(delayMs, fn, holdsProcess) {
      const dueMs = clock.now() + delayMs
      let timer: Timer = clock.after(
        delayMs,
        () => {
          if (clock.now() - dueMs < FROZEN_MS) fn()
          else timer = clock.after(GRACE_MS, fn, holdsProcess)
        },
        holdsProcess,
      )
      return { cancel: () => timer.cancel() }
    },
  }
}

/** Default clock of clients in pages. */
export const pageClock: Clock = /* @__PURE__ */ createPageClock()
