/** Waits for what has no event to wait for, bounded. */

import { setTimeout as delay } from 'node:timers/promises'
import { PATIENCE_MS } from './patience.ts'

/** Lets all microtasks, and `turns` turns of the event loop, pass. */
export async function settle(turns = 3): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>(resolve => setImmediate(resolve))
}

/** Turns of the event loop after which {@link until} leaves the processor to others in between. */
const EAGER_TURNS = 1_000

/** Resolves once `condition` holds; looks after every turn of the event loop, then every millisecond. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS
  for (let turn = 0; !condition(); turn++) {
    if (performance.now() > giveUpAtMs) throw new Error(`wait until ${what}: not within ${PATIENCE_MS} ms`)
    await (turn < EAGER_TURNS ? settle(1) : delay(1))
  }
}

/** Resolves once `progress` has not moved for 100 turns of the event loop, in which all sides of a test take part. */
export async function untilStalled(progress: () => number): Promise<void> {
  let last = -1
  for (let still = 0; still < 100; still++) {
    const now = progress()
    if (now !== last) still = 0
    last = now
    await settle(1)
  }
}
