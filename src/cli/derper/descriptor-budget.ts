/** How many connections this process may hold before it has no descriptors left for anything else (P-109). */

import { readFileSync } from 'node:fs'
import { maxOpenFiles } from '../../status/process-watch.ts'

/** Descriptors reserved for certificates, logs, mesh links, admission requests, and the runtime itself. */
const RESERVED = 64
/** Reserved for the event loop of each worker. */
const RESERVED_PER_WORKER = 8
/** Most admission requests at a time to each backend, however many descriptors there are. */
const MAX_REQUESTS = 256

/**
 * Connections that may be open at once; undefined where the system has no limit, or does not tell.
 *
 * @param workers threads that serve clients; 1 for the main thread alone.
 */
export function descriptorBudget(workers: number, limits: string = readLimits()): number | undefined {
  const descriptors = limitOf(limits)
  return descriptors && descriptors - reserveOf(descriptors, workers)
}

/** Admission requests that may be pending at a time to each backend: part of the reserve, as each needs a descriptor. */
export function requestBudget(workers: number, limits: string = readLimits()): number {
  const descriptors = limitOf(limits)
  if (descriptors === undefined) return MAX_REQUESTS
  return Math.max(1, Math.min(MAX_REQUESTS, reserveOf(descriptors, workers) >> 2))
}

/** Undefined for no limit, or an unknown one. */
function limitOf(limits: string): number | undefined {
  const descriptors = maxOpenFiles(limits)
  return descriptors > 0 && Number.isSafeInteger(descriptors) ? descriptors : undefined
}

/** Grows with the limit, as more clients log in at a time then. */
function reserveOf(descriptors: number, workers: number): number {
  const reserved = RESERVED + (workers - 1) * RESERVED_PER_WORKER
  return Math.min(descriptors >> 1, Math.max(reserved, descriptors >> 4))
}

/** Only Linux has the file. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
