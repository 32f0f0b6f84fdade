/** Waiting on behalf of a reader that may disconnect. */

import type { Clock } from '../../lib/clock.ts'

/** Resolves after `ms`, or when the reader disconnects. */
export function timeOrLeave(clock: Clock, ms: number, left: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      timer.cancel()
      left.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done)
    left.addEventListener('abort', done)
    if (left.aborted) done()
  })
}
