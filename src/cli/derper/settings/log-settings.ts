/** Log settings, from the flags. */

import { defaultLogFormat, type LogFormat, type LogLevel } from '../../../daemon/log/log.ts'
import type { LogSettings } from '../../../daemon/settings.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { OPERATION_FLAGS } from '../flags/operations.ts'
import { settingError } from './setting.ts'

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies readonly LogLevel[]
const LOG_FORMATS: readonly string[] = ['text', 'json'] satisfies readonly LogFormat[]

/** @throws DerpError naming flag and value. */
export function logSettings(flags: Pick<FlagValues<typeof OPERATION_FLAGS>, 'log-level' | 'log-format'>): LogSettings {
  const { 'log-level': level, 'log-format': format } = flags
  if (!LOG_LEVELS.includes(level)) throw settingError('log-level', level, `not one of ${LOG_LEVELS.join(', ')}`)
  if (format === '') return { level: level as LogLevel, format: defaultLogFormat() }
  if (!LOG_FORMATS.includes(format)) throw settingError('log-format', format, `not one of ${LOG_FORMATS.join(', ')}`)
  return { level: level as LogLevel, format: format as LogFormat }
}
