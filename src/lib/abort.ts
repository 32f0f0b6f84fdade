/** Waiting that an `AbortSignal` can cancel. */

import { DerpError } from './derp-error.ts'

/**
 * The rejection of a cancelled `action`: the signal's reason if it is one of our errors, otherwise a DerpError with the
 * reason as its cause.
 */
export function abortedError(action: string, signal: AbortSignal): DerpError {
  const reason: unknown = signal.reason
  if (reason instanceof DerpError) return reason
  return new DerpError('ERR_DERP_ABORTED', `${action}: aborted by the caller`, { cause: reason })
}

/** Calls `fn` when `signal` is aborted, immediately if it already is; returns a function that removes the listener. */
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

/** Settles with `promise`, or rejects when `signal` is aborted; the work itself continues. */
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
