/** Merges the counters of several threads. */

import { ConnectionCounters } from './connection-counters.ts'
import { HttpCounters } from './http-counters.ts'

/**
 * Adds every number of `from`, at any depth, to the same field of `into`.
 *
 * Counters from another thread arrive as messages, with fields but no methods, so only fields are used.
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

/** The sum of several threads' counters; a name asked for on several threads counts several times. */
export function mergeHttpCounters(parts: readonly HttpCounters[]): HttpCounters {
  return sumInto(new HttpCounters(), parts)
}

/** The sum of several threads' counters. */
export function mergeConnectionCounters(parts: readonly ConnectionCounters[]): ConnectionCounters {
  return sumInto(new ConnectionCounters(), parts)
}

function sumInto<T extends object>(total: T, parts: readonly T[]): T {
  for (const part of parts) addNumbers(total, part)
  return total
}
