/** Work with a time limit. */

import { abortable, abortedError, onAbort } from './abort.ts'
import type { Clock } from './clock.ts'
import type { DerpError } from './derp-error.ts'

export interface TimeLimit<T> {
  readonly clock: Clock
  /** May be infinite. */
  readonly timeoutMs: number
  /** The action, for error messages. */
  readonly action: string
  /** The error when time runs out. */
  readonly tooLate: () => DerpError
  /** Any of them cancels the work early. */
  readonly signals?: readonly (AbortSignal | undefined)[] | undefined
  /** Disposes of a result that arrives too late. */
  readonly discard?: ((late: T) => void) | undefined
}

/**
 * Settles with `work` or rejects at the limit, when the signal passed to it is aborted.
 *
 * Cancelled work rejects with the reason for that, whatever error it ends with.
 */
export async function withTimeLimit<T>(limit: TimeLimit<T>, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, timeoutMs, action, tooLate, signals = [], discard } = limit
  const stop = new AbortController()
  // Removable listeners: `AbortSignal.any` remembers each call for as long as its sources live.
  const stopListening = signals.map(signal => onAbort(signal, aborted => stop.abort(abortedError(action, aborted))))
  const timer = clock.after(timeoutMs, () => stop.abort(tooLate()))
  let working: Promise<T> | undefined
  try {
    stop.signal.throwIfAborted()
    working = work(stop.signal)
    return await abortable(working, stop.signal, action)
  } catch (error) {
    working?.then(discard, () => {})
    throw stop.signal.aborted ? abortedError(action, stop.signal) : error
  } finally {
    timer.cancel()
    for (const stopOne of stopListening) stopOne()
  }
}
