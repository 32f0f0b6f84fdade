/** What the readers of settings share: the refusal of a value, and ports. */

import { DerpError } from '../../lib/derp-error.ts'

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
  throw badSetting(flag, value, 'not a port')
}

/** The parts of a list with commas between them, without those that are empty. */
export function listSetting(text: string): readonly string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}
