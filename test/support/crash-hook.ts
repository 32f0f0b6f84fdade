/** Crashes a worker of a program on SIGUSR2, the first one first: threads cannot be killed from outside. */

import { threadHooks } from './thread-hooks.ts'

export const CRASH_HOOK_MODULE: URL = new URL('crash-hook-thread.ts', import.meta.url)

/** Environment of a program whose worker should crash. */
export const CRASH_HOOK: Readonly<Record<string, string>> = threadHooks(CRASH_HOOK_MODULE)
