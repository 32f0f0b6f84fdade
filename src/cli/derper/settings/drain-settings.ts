/** How the daemon ends, from the flags (P-174). */

import type { DrainSettings } from '../../../daemon/settings.ts'
import { formatDuration } from '../../../lib/duration.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { ENDING_FLAGS } from '../flags/ending.ts'
import type { SERVING_FLAGS } from '../flags/serving.ts'
import { badSetting, durationSetting } from './setting.ts'

/** What is left after the last connection was told to end, where no deadline is set: it is slow, or far away. */
const GRACE_MS = 3_000

type Flags = FlagValues<typeof ENDING_FLAGS> & Pick<FlagValues<typeof SERVING_FLAGS>, 'dev'>

/** @throws DerpError naming flag, value and reason. */
export function drainSettings(flags: Flags, given: ReadonlySet<string>): DrainSettings {
  const delayMs = durationSetting('drain-delay', flags['drain-delay'])
  // In development nobody wants to wait, and nobody comes back in a storm.
  const spreadMs = durationSetting('drain-time', flags.dev && !given.has('drain-time') ? 0 : flags['drain-time'])
  const tryForMs = durationSetting('drain-try-for', flags['drain-try-for'])
  const wanted = durationSetting('drain-deadline', flags['drain-deadline'])
  const least = delayMs + spreadMs
  if (wanted !== 0 && wanted < least) {
    const reason = `shorter than -drain-delay and -drain-time together, which are ${formatDuration(least)}; 0 for ${formatDuration(GRACE_MS)} more than these`
    throw badSetting('drain-deadline', formatDuration(wanted), reason)
  }
  return { delayMs, spreadMs, tryForMs, deadlineMs: wanted === 0 ? least + GRACE_MS : wanted }
}
