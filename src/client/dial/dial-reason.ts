/** What failed dials say: the platform's errors in words, with what mends them. */

import { connectionFault, explainFault } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'

/** What went wrong and, where that is known, what mends it. Racing several addresses gives errors that hold others. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof DerpError) return text
  const fault = connectionFault(error)
  return fault === undefined ? text : explainFault(fault, shortened(text))
}

/** OpenSSL's own lines are of no use to anybody but its authors: of them only the reason is kept. */
function shortened(text: string): string {
  return /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/i.exec(text)?.[1] ?? text.trim()
}
