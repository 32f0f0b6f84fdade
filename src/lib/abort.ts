/** Waiting that a caller can give up by an `AbortSignal`. */

import { DerpError } from './derp-error.ts'

/**
 * What a given-up `action` is rejected with: the signal's reason when it is one of our errors, else a DerpError that
 * carries it as its cause.
 */
export function abortedError(action: string, signal: AbortSignal): DerpError {
  const reason: unknown = signal.reason
  if (reason instanceof DerpError) return reason
  return new DerpError('ERR_DERP_ABORTED', `${action}: aborted by the caller`, { cause: reason })
}

/** Calls `fn` when `signal` is aborted, at once if it is already; the result takes that back. */
export function onAbort(signal: AbortSignal | undefined, fn: (signal: AbortSignal) => void): () => void {
  if (signal === undefined) return () => {}
  if (signal.aborted) {
    fn(signal)
    return () => {}
  }
  const listener = () => fn(signal)
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

/** Follows `promise` until `signal` is aborted; the work itself goes on. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, action: string): Promise<T> {
  if (signal === undefined) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stopListening = onAbort(signal, () => reject(abortedError(action, signal)))
  try {
    return await Promise.race([promise, aborted])
  } finally {
    stopListening()
  }
}
