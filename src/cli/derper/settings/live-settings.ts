/** Settings that can change at runtime, from the flags. */

import type { LiveSettings } from '../../../daemon/settings.ts'
import type { DerperFlagValues } from '../derper-flags.ts'
import { drainSettings } from './drain-settings.ts'
import { logSettings } from './log-settings.ts'
import { metricsAccess } from './metrics-settings.ts'
import { totalRateSetting } from './relay-settings.ts'

/** @throws DerpError naming flag, value and reason. */
export function liveSettings(flags: DerperFlagValues, given: ReadonlySet<string>): LiveSettings {
  return {
    log: logSettings(flags),
    metricsAccess: metricsAccess(flags),
    drain: drainSettings(flags, given),
    totalRate: totalRateSetting(flags),
  }
}
