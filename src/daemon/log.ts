/** Logs as JSON lines on standard error. */

import pino from 'pino'
import type { Log, LogFields } from '../lib/log.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** A {@link Log} whose level can change. */
export interface LevelledLog extends Log {
  /** Writes lines of this level and above. */
  level: LogLevel
}

/** A {@link Log} that writes JSON lines of at least `level`, with `common` fields in each. */
export function createLog(level: LogLevel, common: LogFields | null = null): LevelledLog {
  const logger = pino(
    {
      level,
      base: common,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  )
  const at =
    (name: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      logger[name](fields, message)
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    get level() {
      return logger.level as LogLevel
    },
    set level(next) {
      logger.level = next
    },
  }
}
