/** Tells errors of this machine from those of the other side. */

/** The process or the system is out of descriptors, buffers or memory. */
const SHORTAGES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])
/** Out of local ports; also an address family that this machine lacks, if another address was tried as well. */
const NO_LOCAL_ADDRESS = 'EADDRNOTAVAIL'

/** Whether `error` is a shortage of this machine, which says nothing about whether the other side responds. */
export function isOwnShortage(error: unknown): boolean {
  const codes = codesOf(error)
  return codes.some(code => SHORTAGES.has(code)) || (codes.length > 0 && codes.every(code => code === NO_LOCAL_ADDRESS))
}

/** The system codes of an error, of its causes, and of each attempt that it sums up. */
function codesOf(error: unknown): unknown[] {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.flatMap(codesOf)
  if (!(error instanceof Error)) return []
  const inner = codesOf(error.cause)
  return inner.length > 0 ? inner : [(error as NodeJS.ErrnoException).code]
}
