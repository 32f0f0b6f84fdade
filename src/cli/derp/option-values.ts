/** Values of options, checked as commander wants it. */

import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../../lib/duration.ts'

export function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port
  throw new InvalidArgumentError('Not a port from 1 to 65535.')
}

export function readCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Not a number from 1 to 999999.')
}

/** Milliseconds of a positive duration. */
export function readDuration(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined && ms > 0) return ms
  throw new InvalidArgumentError('Not a duration such as 500ms or 5s.')
}

/** Gathers the values of an option that may be given several times. */
export function collect(text: string, before: string[] = []): string[] {
  return [...before, text]
}
