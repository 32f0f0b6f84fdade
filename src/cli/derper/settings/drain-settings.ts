/** Shutdown settings, from the flags (P-174). */

import type { DrainSettings } from '../../../daemon/settings.ts'
import { formatDuration } from '../../../lib/duration.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { ENDING_FLAGS } from '../flags/ending.ts'
import type { SERVING_FLAGS } from '../flags/serving.ts'
import { durationSetting, settingError } from './setting.ts'

/** Time for the last, possibly slow client after it was told to move, if no deadline is set. */
const GRACE_MS = 3_000

type Flags = FlagValues<typeof ENDING_FLAGS> & Pick<FlagValues<typeof SERVING_FLAGS>, 'dev'>

/** @throws DerpError naming flag, value and reason. */
export function drainSettings(flags: Flags, given: ReadonlySet<string>): DrainSettings {
  const delayMs = durationSetting('drain-delay', flags['drain-delay'])
  // Development mode needs no spread.
  const spreadMs = durationSetting('drain-time', flags.dev && !given.has('drain-time') ? 0 : flags['drain-time'])
  const tryForMs = durationSetting('drain-try-for', flags['drain-try-for'])
  const wanted = durationSetting('drain-deadline', flags['drain-deadline'])
  const least = delayMs + spreadMs
  if (wanted !== 0 && wanted < least) {
    const reason = `shorter than -drain-delay plus -drain-time, ${formatDuration(least)}; 0 is for ${formatDuration(GRACE_MS)} more than that`
    throw settingError('drain-deadline', formatDuration(wanted), reason)
  }
  return { delayMs, spreadMs, tryForMs, deadlineMs: wanted === 0 ? least + GRACE_MS : wanted }
}
