/** Files that are watched by a clock that the test moves. */

import { READ_LIMIT_MS } from '../../src/lib/node-text-file.ts'
import type { FakeClock } from './fake-clock.ts'
import { until } from './settle.ts'

/** Resolves once each of `count` watchers has ended the look that was due, and planned the next one. */
export async function untilLooked(clock: FakeClock, count = 1): Promise<void> {
  // A read has a timer too, for its limit.
  const isPlanned = () => clock.pendingTimers === count && !clock.timersInMs.includes(READ_LIMIT_MS)
  await until(isPlanned, 'the next look is planned')
}
