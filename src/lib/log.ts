/** The shape every part logs through. Messages are constants, values are fields. */

/** Values attached to a log line. Private keys redact themselves; do not pass packet contents. */
export type LogFields = Readonly<Record<string, unknown>>

/** A logger with levels; pino's loggers are adapted to it in the command line tools. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** Discards everything. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
}
