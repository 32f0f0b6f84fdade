/**
 * Crashes a worker of a program on SIGUSR2, the first one first. Loaded into all its threads through the environment: threads cannot
 * be killed from outside, and the product itself has no means to do it.
 */

import { RUNTIME_NAME } from './runtime.ts'

const BY_RUNTIME = {
  node: { NODE_OPTIONS: `--import=${new URL('crash-hook-thread.ts', import.meta.url)}` },
  bun: { BUN_OPTIONS: `--preload ${new URL('bun-crash-hook-thread.ts', import.meta.url).pathname}` },
}

/** Environment of a program whose worker should crash. */
export const CRASH_HOOK: Readonly<Record<string, string>> = BY_RUNTIME[RUNTIME_NAME]
