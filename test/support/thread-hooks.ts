/** Test code in all threads of a program: what the product has no means to do. */

import { RUNTIME_NAME } from './runtime.ts'

/** Environment of a program that loads these modules first, in each of its threads. */
export function threadHooks(...modules: readonly URL[]): Readonly<Record<string, string>> {
  if (RUNTIME_NAME === 'node') return { NODE_OPTIONS: modules.map(url => `--import=${url}`).join(' ') }
  return {
    BUN_OPTIONS: `--preload ${new URL('bun-thread-hooks.ts', import.meta.url).pathname}`,
    DERPHTTP_THREAD_HOOKS: modules.map(({ pathname }) => pathname).join(':'),
  }
}
