/** Clients that must not notice what others do. */

import { expectNothingBut, expectRelays } from './check.ts'
import type { Target } from './target.ts'

/** Runs `act`; a pair that was there before, and one that comes after, exchange packets as if nothing had been. */
export async function expectHarmless(target: Target, act: () => Promise<void>): Promise<void> {
  const [a, b] = [await target.login(), await target.login()]
  await expectRelays(a, b)
  await act()
  await expectRelays(a, b)
  await expectRelays(b, a)
  await expectNothingBut(a)
  await expectNothingBut(b)
  await expectRelays(await target.login(), await target.login())
}
