/** Waits for what has no event to wait for, bounded. */

/** Lets all microtasks, and `turns` turns of the event loop, pass. */
export async function settle(turns = 3): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>(resolve => setImmediate(resolve))
}

/** Resolves once `condition` holds; looks after every turn of the event loop, for at most 5 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAtMs = performance.now() + 5_000
  while (!condition()) {
    if (performance.now() > giveUpAtMs) throw new Error(`wait until ${what}: not within 5 s`)
    await settle(1)
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
