/**
 * Sets how V8 collects garbage.
 *
 * A read from a socket comes in up to 64 KiB outside of V8's heap, and is garbage as soon as it was written. By default
 * V8 begins a collection of its whole heap for every 64 MiB of these: many times a second under load, and the longer
 * each the more clients there are. Counted towards the limit of the heap, with enough room below that limit, they go
 * with the cheap collections of what is new. See docs/performance.md.
 */

import { setFlagsFromString } from 'node:v8'

/**
 * Bytes that V8 takes for live, so that it sets its limit well above them. Nobody touches them: they are address space
 * and no memory.
 */
const BALLAST_BYTES: number = 256 << 20

let ballast: ArrayBuffer | undefined

/** The flags for a version of V8; one that it does not know would be complained of on standard error. */
export function garbageCollectionFlags(v8Version: string): readonly string[] {
  const accounted = '--external-memory-accounted-in-global-limit'
  const [major = 0, minor = 0] = v8Version.split('.').map(Number)
  if (major > 14 || (major === 14 && minor >= 6)) return [accounted, '--external-memory-max-growing-factor=4']
  return major === 14 || (major === 13 && minor >= 6) ? [accounted] : []
}

/** To be called before the first client comes. Returns the bytes set aside. */
export function tuneV8(): number {
  const flags = garbageCollectionFlags(process.versions.v8)
  if (flags.length === 0) return 0
  for (const flag of flags) setFlagsFromString(flag)
  ballast ??= new ArrayBuffer(BALLAST_BYTES)
  return ballast.byteLength
}
