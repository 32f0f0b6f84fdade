/** Clients that must not be affected by others. */

import { expectNothingBut, expectRelays } from './check.ts'
import type { Target } from './target.ts'

/** Runs `act`; an existing pair and a later one exchange packets as before. */
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
