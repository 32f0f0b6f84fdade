/**
 * A clock for pages, whose timers browsers delay in the background and stop altogether when they freeze a page.
 *
 * A timer that fires much too late finds that everything has waited: messages of the relay as well, which come behind it.
 * It gives them a moment, so that a page that wakes up does not take the silence of its own sleep for that of the relay.
 */

import { type Clock, systemClock, type Timer } from '../../lib/clock.ts'

/** Milliseconds by which a timer is late when the page was frozen or throttled: no busy page is as slow. */
const FROZEN_MS = 2_000
/** Milliseconds for what has come meanwhile to be read. */
const GRACE_MS = 1_000

/** @param clock what gives the time; the platform's by default. */
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

/** What clients of pages use unless they are given another one. */
export const pageClock: Clock = /* @__PURE__ */ createPageClock()
