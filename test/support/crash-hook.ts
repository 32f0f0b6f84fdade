/**
 * Crashes the first worker of a program when SIGUSR2 comes. To be loaded into all its threads, by the environment:
 * threads cannot be killed from outside, and the product has no way to do it.
 */

import { RUNTIME_NAME } from './runtime.ts'

const BY_RUNTIME = {
  node: { NODE_OPTIONS: `--import=${new URL('crash-hook-thread.ts', import.meta.url)}` },
  bun: { BUN_OPTIONS: `--preload ${new URL('bun-crash-hook-thread.ts', import.meta.url).pathname}` },
}

/** The environment of a program whose worker is to crash. */
export const CRASH_HOOK: Readonly<Record<string, string>> = BY_RUNTIME[RUNTIME_NAME]
