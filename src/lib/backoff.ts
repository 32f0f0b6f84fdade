/** How long to wait before trying again. Pure. */

export interface BackoffLimits {
  /** Most milliseconds after the first failure. */
  readonly minMs: number
  /** Most milliseconds after any number of them. */
  readonly maxMs: number
}

/**
 * Milliseconds to wait after `failures` in a row, at least one: doubles with each, up to the most there may be.
 *
 * The upper half is left to chance, so that clients that were cut off together do not come back together.
 */
export function backoffMs(failures: number, { minMs, maxMs }: BackoffLimits, random: () => number): number {
  const mostMs = Math.min(maxMs, minMs * 2 ** (failures - 1))
  return mostMs * (0.5 + random() / 2)
}
