/** How many connections this process may hold before it has no descriptors left for anything else (P-109). */

import { readFileSync } from 'node:fs'
import { maxOpenFiles } from '../../status/process-numbers.ts'

/** Descriptors kept for certificates, logs, links to siblings, questions about clients, and the runtime's own. */
const RESERVED = 64
/** Kept for the event loop of each worker. */
const RESERVED_PER_WORKER = 8

/**
 * Connections that may be open at once; undefined where the system has no limit, or does not tell.
 *
 * @param workers threads that serve clients; 1 for the main thread alone.
 */
export function descriptorBudget(workers: number, limits: string = readLimits()): number | undefined {
  const descriptors = maxOpenFiles(limits)
  if (descriptors === 0 || !Number.isSafeInteger(descriptors)) return undefined
  // Logins in flight ask others about clients, each over a descriptor of its own: more where there are more.
  const reserved = RESERVED + (workers - 1) * RESERVED_PER_WORKER
  return descriptors - Math.min(descriptors >> 1, Math.max(reserved, descriptors >> 4))
}

/** Only Linux has the file. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
