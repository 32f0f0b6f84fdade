/** Waiting for time to pass. */

import { onAbort } from './abort.ts'
import type { Clock } from './clock.ts'

/**
 * Resolves after `delayMs`, or when one of `signals` is aborted, which is no error here.
 *
 * The process stays alive meanwhile: between two connections there is no socket that would keep it.
 */
export function sleep(clock: Clock, delayMs: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  return new Promise(resolve => {
    const timer = clock.after(delayMs, () => wake(), true)
    // A signal that is aborted already calls back at once, and the others are then taken back below.
    let stopListening: readonly (() => void)[] = []
    const wake = (): void => {
      timer.cancel()
      for (const stop of stopListening) stop()
      resolve()
    }
    stopListening = signals.map(signal => onAbort(signal, wake))
    if (signals.some(signal => signal?.aborted)) wake()
  })
}
