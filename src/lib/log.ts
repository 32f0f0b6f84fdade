/** The logging interface used everywhere. Messages are constants, values are fields. */

/** Values of a log line. Private keys redact themselves; never pass packet contents. */
export type LogFields = Readonly<Record<string, unknown>>

/** A logger with levels. Messages are constants, values are fields. Its methods must not throw. */
export interface Log {
  /** What only matters in a search for a fault; several lines per connection. */
  debug(message: string, fields?: LogFields): void
  /** What an operator wants to know: starts, ends, changes. */
  info(message: string, fields?: LogFields): void
  /** Something is wrong; the program goes on. */
  warn(message: string, fields?: LogFields): void
  /** Something does not work until it is fixed. */
  error(message: string, fields?: LogFields): void
}

/** Discards everything. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
}
