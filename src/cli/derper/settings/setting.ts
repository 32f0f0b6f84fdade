/** What the readers of settings share: refusals, ports, durations, lists and files. */

import { DerpError } from '../../../lib/derp-error.ts'
import { formatDuration } from '../../../lib/duration.ts'
import { readRegular } from '../../flag-sources.ts'

const HOUR_MS = 3_600_000

/** A value of the flag `flag` that cannot be used; `reason` ends with what to do where that is not plain. */
export function badSetting(flag: string, value: string | number, reason: string, cause?: unknown): DerpError {
  return badSettings(`set flag -${flag} to "${value}": ${reason}`, cause)
}

/** Settings that do not go together. */
export function badSettings(message: string, cause?: unknown): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', message, { cause })
}

/** A port of the flag `flag`. @throws DerpError naming both. */
export function portSetting(flag: string, value: number): number {
  if (value >= 0 && value <= 65_535) return value
  throw badSetting(flag, value, 'not a port from 0 to 65535')
}

/** The number of the flag `flag`, within bounds. @throws DerpError naming flag, value and the bound that it is beyond. */
export function intSetting<F extends string>(
  flags: Readonly<Record<F, number>>,
  flag: F,
  [min, max]: readonly [min: number, max: number],
): number {
  const value = flags[flag]
  if (value < min) throw badSetting(flag, value, `below ${min}`)
  if (value > max) throw badSetting(flag, value, `above ${max}`)
  return value
}

/** Milliseconds of the flag `flag`, up to an hour. @throws DerpError naming both. */
export function durationSetting(flag: string, ms: number): number {
  if (ms >= 0 && ms <= HOUR_MS) return ms
  throw badSetting(flag, formatDuration(ms), 'not from 0 to 1h')
}

/**
 * What `parse` makes of the file that the flag `flag` names; a running daemon may read it too.
 *
 * Rejects with a DerpError naming flag, file and reason.
 */
export async function readSettingFile<T>(flag: string, path: string, parse: (text: string) => T): Promise<T> {
  let text: string
  try {
    text = await readRegular(path)
  } catch (error) {
    throw badSetting(flag, path, `${(error as Error).message}; name a file that can be read`, error)
  }
  try {
    return parse(text)
  } catch (error) {
    throw badSetting(flag, path, (error as Error).message, error)
  }
}

/** The parts of a list with commas between them, without those that are empty. */
export function listSetting(text: string): readonly string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}
