/**
 * Garbage collection settings of V8.
 *
 * A socket read allocates up to 64 KiB outside V8's heap, garbage once written. By default V8 runs a full collection
 * for every 64 MiB of these: many times a second under load, each longer the more clients there are. Counted towards
 * the heap limit, with enough headroom below it, they are freed by cheap young-generation collections.
 * See docs/understand/performance-profiles.md#memory.
 */

import { setFlagsFromString } from 'node:v8'

/**
 * Bytes that V8 counts as live, so that it sets its heap limit well above them. Never touched: address space, not
 * memory.
 */
export const BALLAST_BYTES: number = 256 << 20

let ballast: ArrayBuffer | undefined

/** Flags for a version of V8, which warns on standard error about flags that it does not know. */
export function garbageCollectionFlags(v8Version: string): readonly string[] {
  const accounted = '--external-memory-accounted-in-global-limit'
  const [major = 0, minor = 0] = v8Version.split('.').map(Number)
  if (major > 14 || (major === 14 && minor >= 6)) return [accounted, '--external-memory-max-growing-factor=4']
  return major === 14 || (major === 13 && minor >= 6) ? [accounted] : []
}

/** Call before the first client connects. Returns the size of the ballast in bytes. */
export function tuneV8(): number {
  const flags = garbageCollectionFlags(process.versions.v8)
  if (flags.length === 0) return 0
  for (const flag of flags) setFlagsFromString(flag)
  ballast ??= new ArrayBuffer(BALLAST_BYTES)
  return ballast.byteLength
}
