/** Comparing secrets: the time taken does not reveal where two values differ. */

/** Compares contents in time that depends only on the lengths; different lengths are unequal. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}
