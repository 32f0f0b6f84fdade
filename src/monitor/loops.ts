/** Loops that run side by side until the first of them ends. */

import { onAbort } from '../lib/abort.ts'

/** Runs until `stop` is aborted, which is not an error of the loop. */
export type Loop = (stop: AbortSignal) => Promise<void>

/** Settles like the loop that ends first; the others are stopped, and what they end with is ignored. */
export async function untilFirst(signal: AbortSignal, ...loops: readonly Loop[]): Promise<void> {
  const stop = new AbortController()
  const stopListening = onAbort(signal, aborted => stop.abort(aborted.reason))
  const running = loops.map(loop => loop(stop.signal))
  try {
    await Promise.race(running)
  } finally {
    stop.abort()
    stopListening()
    await Promise.allSettled(running)
  }
}

/** Ends when the signal is aborted. */
export function untilAborted(stop: AbortSignal): Promise<void> {
  return new Promise(resolve => void onAbort(stop, () => resolve()))
}
