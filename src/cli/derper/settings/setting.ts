/** Shared by all settings: errors, ports, numbers, durations, files and lists. */

import { DerpError } from '../../../lib/derp-error.ts'
import { formatDuration } from '../../../lib/duration.ts'
import { readRegular } from '../../flag-sources.ts'
import { unreadable } from '../../unreadable.ts'

const HOUR_MS = 3_600_000

/** An invalid value of `flag`; `reason` includes the remedy unless it is obvious. */
export function settingError(flag: string, value: string | number, reason: string, cause?: unknown): DerpError {
  return settingsError(`set flag -${flag} to "${value}": ${reason}`, cause)
}

/** A conflict between settings. */
export function settingsError(message: string, cause?: unknown): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', message, { cause })
}

/** @param off what to set instead of -1, which stands for none elsewhere. @throws DerpError naming flag and value. */
export function portSetting(flag: string, value: number, off?: string): number {
  if (value >= 0 && value <= 65_535) return value
  const fix = value === -1 && off !== undefined ? `; for none set ${off}` : ''
  throw settingError(flag, value, `not a port from 0 to 65535${fix}`)
}

/** @throws DerpError naming flag, value and the bound it exceeds. */
export function intSetting<F extends string>(
  flags: Readonly<Record<F, number>>,
  flag: F,
  [min, max]: readonly [min: number, max: number],
): number {
  const value = flags[flag]
  if (value < min) throw settingError(flag, value, `below ${min}`)
  if (value > max) throw settingError(flag, value, `above ${max}`)
  return value
}

/** Milliseconds up to an hour. @throws DerpError naming flag and value. */
export function durationSetting(flag: string, ms: number): number {
  if (ms >= 0 && ms <= HOUR_MS) return ms
  throw settingError(flag, formatDuration(ms), 'not from 0 to 1h')
}

/**
 * Reads and parses a file named by `flag`. Safe in a running daemon: regular files only, with a time limit.
 *
 * Rejects with a DerpError naming flag, file and reason.
 */
export async function readSettingFile<T>(flag: string, path: string, parse: (text: string) => T): Promise<T> {
  let text: string
  try {
    text = await readRegular(path)
  } catch (error) {
    throw settingError(flag, path, unreadable(error), error)
  }
  try {
    return parse(text)
  } catch (error) {
    throw settingError(flag, path, (error as Error).message, error)
  }
}

/** Non-empty parts of a comma-separated list. */
export function listSetting(text: string): readonly string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}
