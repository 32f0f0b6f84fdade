/** Sums of counters that several parts of a relay keep, one for each thread. */

import { ConnectionCounters } from './connection-counters.ts'
import { HttpCounters } from './http-counters.ts'

/**
 * Adds every number of `from`, at whatever depth, to the one of the same place in `into`.
 *
 * What came as a message from another thread has fields and no methods, so only fields are looked at.
 */
export function addNumbers(into: object, from: object): void {
  const target = into as Record<string, unknown>
  for (const [name, value] of Object.entries(from)) {
    if (typeof value === 'number') {
      target[name] = ((target[name] as number | undefined) ?? 0) + value
    } else if (typeof value === 'object' && value !== null) {
      // Groups that only some listeners count.
      target[name] ??= {}
      addNumbers(target[name] as object, value)
    }
  }
}

/** The sum of several parts' counters; a name that several were asked for counts several times. */
export function mergeHttpCounters(parts: readonly HttpCounters[]): HttpCounters {
  return sumInto(new HttpCounters(), parts)
}

/** The sum of several parts' counters. */
export function mergeConnectionCounters(parts: readonly ConnectionCounters[]): ConnectionCounters {
  return sumInto(new ConnectionCounters(), parts)
}

function sumInto<T extends object>(total: T, parts: readonly T[]): T {
  for (const part of parts) addNumbers(total, part)
  return total
}
