/** When a probe first runs. Pure. */

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/**
 * Milliseconds below `intervalMs`, always the same for one name: probes that begin together are spread over time, and
 * keep their place after a restart.
 */
export function initialDelayMs(name: string, intervalMs: number): number {
  let hash = FNV_OFFSET
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, FNV_PRIME)
  // The last step of FNV moves the low bits only.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return ((hash >>> 0) / 2 ** 32) * Math.max(0, intervalMs)
}
