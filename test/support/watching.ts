/** Files polled on a fake clock. */

import { FILE_LIMIT_MS } from '../../src/lib/files/node-file-access.ts'
import type { FakeClock } from './fake-clock.ts'
import { until } from './settle.ts'

/** Resolves once each of `count` pollers has finished the due poll and scheduled the next. */
export async function untilPolled(clock: FakeClock, count = 1): Promise<void> {
  // A read also has a timer, for its time limit.
  const isPlanned = () => clock.pendingTimers === count && !clock.timersInMs.includes(FILE_LIMIT_MS)
  await until(isPlanned, 'the next poll is scheduled')
}
