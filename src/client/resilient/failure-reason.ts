/** What a failed connection implies for the next attempt. Pure. */

import { DerpError, type DerpErrorCode } from '../../lib/derp-error.ts'
import type { RunEnd } from './supervised-connection.ts'

/** HTTP statuses that deny access. */
const DENIED_STATUSES: ReadonlySet<unknown> = new Set([401, 403])

/** Error codes seen when a relay closes. */
const CLOSED_CODES: ReadonlySet<DerpErrorCode> = new Set(['ERR_DERP_CONN_CLOSED', 'ERR_DERP_WRITE_FAILED'])

/**
 * How relays say, only in words, that the same key is connected elsewhere (P-092). Ours says "more than once"; others
 * mention another endpoint, client or node.
 */
const DUPLICATE_PROBLEM = /\bmore than once\b|\bduplicate\b|\banother (?:endpoint|client|node|connection)\b/i

/** Whether the relay explicitly refused this client. */
export function isDenied({ error }: RunEnd): boolean {
  for (let inner: unknown = error; inner instanceof DerpError; inner = inner.cause) {
    if (inner.code === 'ERR_DERP_ADMISSION_DENIED') return true
    if (inner.code === 'ERR_DERP_UPGRADE_REFUSED' && 'status' in inner && DENIED_STATUSES.has(inner.status)) return true
  }
  return false
}

/** Whether the relay closed between ClientInfo and ServerInfo, as it does with clients it does not admit. */
export function isClosedAtLogin({ cause, stage, error }: RunEnd): boolean {
  return cause === 'failed' && stage === 'loggingIn' && CLOSED_CODES.has(error.code)
}

/** Whether the relay reports that the key is connected more than once. */
export function isDuplicateProblem(problem: string): boolean {
  return DUPLICATE_PROBLEM.test(problem)
}
