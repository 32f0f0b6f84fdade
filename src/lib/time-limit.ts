/** Work that may take only so long. */

import { abortable } from './abort.ts'
import type { Clock } from './clock.ts'
import type { DerpError } from './derp-error.ts'

export interface TimeLimit<T> {
  readonly clock: Clock
  readonly timeoutMs: number
  /** How messages call the work. */
  readonly action: string
  /** The error of work that took too long. */
  readonly tooLate: () => DerpError
  /** Ends the work before its time. */
  readonly signal?: AbortSignal | undefined
  /** Takes back a result that nobody waits for any more. */
  readonly discard: (late: T) => void
}

/** Follows `work` until the limit; its signal is aborted then. */
export async function withTimeLimit<T>(limit: TimeLimit<T>, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController()
  const timer = limit.clock.after(limit.timeoutMs, () => deadline.abort(limit.tooLate()))
  const signal = limit.signal === undefined ? deadline.signal : AbortSignal.any([limit.signal, deadline.signal])
  const working = work(signal)
  try {
    return await abortable(working, signal, limit.action)
  } catch (error) {
    working.then(limit.discard, () => {})
    throw error
  } finally {
    timer.cancel()
  }
}
