/** The log of the daemon: one line per event on standard error, JSON or text. */

import { isatty } from 'node:tty'
import pino from 'pino'
import type { Clock } from '../../lib/clock.ts'
import type { Log, LogFields } from '../../lib/log.ts'
import type { LogCounters } from '../../metrics/log-counters.ts'
import { LineBuffer, type LineSink } from './line-buffer.ts'
import { StandardError } from './standard-error.ts'
import { textLine } from './text-line.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type LogFormat = 'text' | 'json'

/** How long an exit waits for a log that is not read, in milliseconds. */
export const FLUSH_LIMIT_MS = 1_000

/** A {@link Log} with a level that can be changed. */
export interface LevelledLog extends Log {
  /** Writes lines of this level and above. */
  level: LogLevel
}

/** A log with its own output. */
export interface DaemonLog extends LevelledLog {
  readonly counters: LogCounters
  /** Takes lines of another thread. */
  take(lines: string, dropped: number): void
  /** Resolves when all lines have been written, or after `limitMs`. */
  flush(limitMs: number): Promise<void>
}

export interface DaemonLogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  readonly clock: Clock
  /** Default: standard error. */
  readonly sink?: LineSink
  /** Fields of every line. */
  readonly common?: LogFields
}

/** Text for people at a terminal, JSON for programs. */
export function defaultLogFormat(): LogFormat {
  return isatty(2) ? 'text' : 'json'
}

export function createLog({ level, format, clock, sink, common }: DaemonLogOptions): DaemonLog {
  const buffer = new LineBuffer(sink ?? new StandardError(clock), clock)
  const output = format === 'json' ? buffer : { write: (line: string) => buffer.write(textLine(line)) }
  const log = levelledLog(level, common ?? null, output)
  // The lines of another thread are counted where they are written.
  if (sink === undefined) buffer.onRecovered = dropped => log.warn('log lines were dropped', { dropped })
  return Object.assign(log, {
    counters: buffer.counters,
    take: (lines: string, dropped: number) => {
      buffer.drop(dropped)
      buffer.write(lines)
    },
    flush: (limitMs: number) => buffer.flush(limitMs),
  })
}

function levelledLog(level: LogLevel, base: LogFields | null, output: { write(line: string): void }): LevelledLog {
  const logger = pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    output,
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
