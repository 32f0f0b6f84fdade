/** How many connections this process may hold before it has no descriptors left for anything else (P-109). */

import { readFileSync } from 'node:fs'
import { maxOpenFiles } from '../http/process-numbers.ts'

/** Descriptors kept for certificates, logs, links to siblings, questions about clients, and the runtime's own. */
const RESERVED = 64

/** Connections that may be open at once; undefined where the system has no limit, or does not tell. */
export function descriptorBudget(limits: string = readLimits()): number | undefined {
  const descriptors = maxOpenFiles(limits)
  if (descriptors === 0 || !Number.isSafeInteger(descriptors)) return undefined
  // Logins in flight ask others about clients, each over a descriptor of its own: more where there are more.
  return descriptors - Math.min(descriptors >> 1, Math.max(RESERVED, descriptors >> 4))
}

/** Only Linux has the file. */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return ''
  }
}
