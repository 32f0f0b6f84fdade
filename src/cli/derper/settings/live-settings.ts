/** Those settings that can change while the daemon runs, but for the rules of admission and what lies in files. */

import type { LogLevel } from '../../../daemon/log.ts'
import type { MetricsAccess } from '../../../http/metrics/metrics-access.ts'
import type { DerperFlagValues } from '../derper-flags.ts'
import { type DrainSettings, drainSettings } from './drain-settings.ts'
import { logLevelSetting } from './log-settings.ts'
import { metricsAccess } from './watching-settings.ts'

export interface LiveSettings {
  readonly logLevel: LogLevel
  readonly metricsAccess: MetricsAccess
  readonly drain: DrainSettings
}

/** @throws DerpError naming flag, value and reason. */
export function liveSettings(flags: DerperFlagValues, given: ReadonlySet<string>): LiveSettings {
  return {
    logLevel: logLevelSetting(flags),
    metricsAccess: metricsAccess(flags),
    drain: drainSettings(flags, given),
  }
}
