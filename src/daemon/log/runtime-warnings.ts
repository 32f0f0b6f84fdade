/** Warnings of the runtime, which would be plain text written synchronously, in the log. */

import type { Log } from '../../lib/log.ts'

/** Replaces what this thread does with warnings, such as of deprecated calls. */
export function logRuntimeWarnings(log: Log): void {
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message, stack }) => log.warn('warning of the runtime', { name, message, stack }))
}
