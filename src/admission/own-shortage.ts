/** Distinguishes local resource exhaustion from failures of the remote end. */

/** The process or the system is out of descriptors, buffers or memory. */
const SHORTAGES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])
/** Out of local ports; but also a missing address family, if several addresses were tried. */
const NO_LOCAL_ADDRESS = 'EADDRNOTAVAIL'

/** Whether `error` is a local shortage, which says nothing about the remote end. */
export function isOwnShortage(error: unknown): boolean {
  const codes = codesOf(error)
  return codes.some(code => SHORTAGES.has(code)) || (codes.length > 0 && codes.every(code => code === NO_LOCAL_ADDRESS))
}

/** System error codes of an error, its causes, and the attempts of an AggregateError. */
function codesOf(error: unknown): unknown[] {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.flatMap(codesOf)
  if (!(error instanceof Error)) return []
  const inner = codesOf(error.cause)
  return inner.length > 0 ? inner : [(error as NodeJS.ErrnoException).code]
}
