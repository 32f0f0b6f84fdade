/** The logging interface used everywhere. Messages are constants, values are fields. */

/** Values of a log line. Private keys redact themselves; never pass packet contents. */
export type LogFields = Readonly<Record<string, unknown>>

/** A levelled logger; the command line tools adapt pino to it. */
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
