/** Connections that leave enough file descriptors for everything else (P-109). */

import { readFileSync } from 'node:fs'
import { maxOpenFiles } from '../../status/process-watch.ts'

/** Descriptors reserved for certificates, logs, mesh links, admission requests, and the runtime itself. */
const RESERVED = 64
/** Reserved for the event loop of each worker. */
const RESERVED_PER_WORKER = 8
/** Concurrent admission requests per backend, for any descriptor limit. */
const MAX_REQUESTS = 256

/**
 * Maximum of open connections; undefined if the descriptor limit is unlimited or unknown.
 *
 * @param workers threads that serve clients; 1 for the main thread only.
 */
export function descriptorBudget(workers: number, limits: string = readLimits()): number | undefined {
  const descriptors = limitOf(limits)
  return descriptors && descriptors - reserveOf(descriptors, workers)
}

/** Concurrent admission requests per backend. Part of the reserve, as each needs a descriptor. */
export function requestBudget(workers: number, limits: string = readLimits()): number {
  const descriptors = limitOf(limits)
  if (descriptors === undefined) return MAX_REQUESTS
  return Math.max(1, Math.min(MAX_REQUESTS, reserveOf(descriptors, workers) >> 2))
}

/** Undefined if unlimited or unknown. */
function limitOf(limits: string): number | undefined {
  const descriptors = maxOpenFiles(limits)
  return descriptors > 0 && Number.isSafeInteger(descriptors) ? descriptors : undefined
}

/** Grows with the limit: more clients log in at the same time. */
function reserveOf(descriptors: number, workers: number): number {
  const reserved = RESERVED + (workers - 1) * RESERVED_PER_WORKER
  return Math.min(descriptors >> 1, Math.max(reserved, descriptors >> 4))
}

/** Linux only. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
