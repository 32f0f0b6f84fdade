/** How long to wait before a retry. Pure. */

export interface BackoffLimits {
  /** Upper bound in milliseconds after the first failure. */
  readonly minMs: number
  /** Upper bound in milliseconds after any number of failures. */
  readonly maxMs: number
}

/**
 * Milliseconds to wait after `failures` consecutive failures (at least one): doubles each time, up to the maximum.
 *
 * The upper half is random, so that clients disconnected together do not reconnect together.
 */
export function backoffMs(failures: number, { minMs, maxMs }: BackoffLimits, random: () => number): number {
  const boundMs = Math.min(maxMs, minMs * 2 ** (failures - 1))
  return boundMs * (0.5 + random() / 2)
}
