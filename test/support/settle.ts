/** Bounded waits for conditions without an event. */

import { setTimeout as delay } from 'node:timers/promises'
import { PATIENCE_MS } from './patience.ts'

/** Runs all microtasks and `turns` event loop turns. */
export async function settle(turns = 3): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>(resolve => setImmediate(resolve))
}

/** Event loop turns after which {@link until} sleeps in between. */
const EAGER_TURNS = 1_000

/** Resolves once `condition` holds; checked after every event loop turn, later every millisecond. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS
  for (let turn = 0; !condition(); turn++) {
    if (performance.now() > giveUpAtMs) throw new Error(`wait until ${what}: not within ${PATIENCE_MS} ms`)
    await (turn < EAGER_TURNS ? settle(1) : delay(1))
  }
}

/** Resolves once `progress` has not changed for 100 event loop turns, shared by all sides of a test. */
export async function untilStalled(progress: () => number): Promise<void> {
  let last = -1
  for (let still = 0; still < 100; still++) {
    const now = progress()
    if (now !== last) still = 0
    last = now
    await settle(1)
  }
}
