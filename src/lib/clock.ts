/**
 * The only place that knows the time and the turns of the event loop.
 *
 * Everything else is given a {@link Clock}, so that tests control time.
 */

/** A pending timer; `cancel` is idempotent and safe after it has fired. */
export interface Timer {
  /** Prevents the call. */
  cancel(): void
}

/** Time and scheduling for relay and clients. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary origin; fractions allowed. */
  now(): number
  /** Wall-clock milliseconds since 1970, for certificates and logs only. */
  wallNow(): number
  /**
   * Calls `fn` once, after at least `delayMs`.
   *
   * Timers do not keep the process alive unless `holdsProcess`: for work that a caller waits for with no socket open.
   */
  after(delayMs: number, fn: () => void, holdsProcess?: boolean): Timer
  /** Calls `fn` once all input of the current event loop turn has been handled. */
  afterTurn(fn: () => void): void
}

// `setImmediate` runs in the check phase, after all sockets of the turn have been read. Browsers lack it and get a
// macrotask instead, which batches the same way.
const scheduleAfterTurn: (fn: () => void) => void =
  typeof setImmediate === 'function' ? fn => void setImmediate(fn) : fn => void setTimeout(fn, 0)

// Platform timers with a longer delay fire at once.
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** The real clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs, fn, holdsProcess = false) {
    const dueMs = performance.now() + delayMs
    let handle = arm()
    function arm(): ReturnType<typeof setTimeout> {
      const leftMs = Math.max(0, dueMs - performance.now())
      const timer = setTimeout(onTimeout, Math.min(leftMs, MAX_TIMEOUT_MS))
      if (!holdsProcess) unref(timer)
      return timer
    }
    // Platforms truncate fractions and count from the start of the turn, so timers fire up to 1 ms early.
    function onTimeout(): void {
      if (performance.now() < dueMs) handle = arm()
      else fn()
    }
    return { cancel: () => clearTimeout(handle) }
  },
  afterTurn: scheduleAfterTurn,
}

/** Browser timers are numbers and keep nothing alive. */
function unref(timer: unknown): void {
  ;(timer as { unref?(): void }).unref?.()
}
