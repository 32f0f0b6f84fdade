/** Log settings, from the flags. */

import type { LogLevel } from '../../../daemon/log.ts'
import type { LogSettings } from '../../../daemon/settings.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { OPERATION_FLAGS } from '../flags/operations.ts'
import { badSetting } from './setting.ts'

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies readonly LogLevel[]

/** @throws DerpError naming flag and value. */
export function logSettings(flags: Pick<FlagValues<typeof OPERATION_FLAGS>, 'log-level'>): LogSettings {
  const text = flags['log-level']
  if (LOG_LEVELS.includes(text)) return { level: text as LogLevel }
  throw badSetting('log-level', text, `not one of ${LOG_LEVELS.join(', ')}`)
}
