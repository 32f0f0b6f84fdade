/**
 * Crashes the first worker of a program when SIGUSR2 comes. To be loaded into all its threads, by the environment:
 * threads cannot be killed from outside, and the product has no way to do it.
 */

/** The environment of a program whose worker is to crash. */
export const CRASH_HOOK: { readonly NODE_OPTIONS: string } = {
  NODE_OPTIONS: `--import=${new URL('crash-hook-thread.ts', import.meta.url)}`,
}
