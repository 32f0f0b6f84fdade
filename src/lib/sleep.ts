import { onAbort } from './abort.ts'
import type { Clock } from './clock.ts'

/**
 * Resolves after `delayMs`, or when one of `signals` is aborted, which is not an error here.
 *
 * Keeps the process alive: between two connections no socket does.
 */
export function sleep(clock: Clock, delayMs: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  return new Promise(resolve => {
    const timer = clock.after(delayMs, () => wake(), true)
    // An already aborted signal calls back at once; the other listeners are then removed below.
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
