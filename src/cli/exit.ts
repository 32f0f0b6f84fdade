/** Exit codes, and the one line printed for a failure. */

import { type Clock, systemClock } from '../lib/clock.ts'
import { DerpError, type DerpErrorCode } from '../lib/derp-error.ts'

export const EXIT_OK = 0
/** The operation failed. */
export const EXIT_FAILED = 1
/** Invalid flags or configuration, or a takeover that failed: nothing has changed, and a restart would not help. */
export const EXIT_USAGE = 2

const USAGE_CODES: ReadonlySet<DerpErrorCode> = new Set([
  'ERR_DERP_CONFIG_INVALID',
  'ERR_DERP_KEY_INVALID',
  'ERR_DERP_TAKEOVER_FAILED',
  'ERR_DERP_URL_INVALID',
])

/** Milliseconds for the process to exit by itself. */
const EXIT_GRACE_MS = 500
/** Milliseconds for work on the thread pool, which takes less unless it is stuck, and between two looks at it. */
const POOL_GRACE_MS = 250
const POOL_LOOK_MS = 5

/** Work on libuv's thread pool that `process.exit` waits for: DNS lookups and file access. */
const THREAD_POOL_WORK: ReadonlySet<string> = new Set(['GetAddrInfoReqWrap', 'FSReqPromise', 'FSReqCallback'])

/** Ends the process, even while a DNS lookup is pending (P-174). */
export function leave(code: number, clock: Clock = systemClock): void {
  process.exitCode = code
  clock.after(EXIT_GRACE_MS, () => exitNow(clock))
}

/** Ends the process, with its exit code unless the thread pool is stuck for {@link POOL_GRACE_MS}. */
export function exitNow(clock: Clock = systemClock, graceMs = POOL_GRACE_MS): void {
  const isPoolBusy = process.getActiveResourcesInfo().some(resource => THREAD_POOL_WORK.has(resource))
  if (!isPoolBusy) process.exit()
  if (graceMs > 0) {
    clock.after(POOL_LOOK_MS, () => exitNow(clock, graceMs - POOL_LOOK_MS))
    return
  }
  // The exit code is lost, but a signal does not wait for the thread pool.
  process.removeAllListeners('SIGTERM')
  process.kill(process.pid, 'SIGTERM')
}

/** Runs a command; a {@link DerpError} becomes one line on standard error and its exit code. */
export async function runCommand(
  name: string,
  command: () => Promise<number>,
  writeError: (text: string) => void = text => void process.stderr.write(text),
): Promise<number> {
  try {
    return await command()
  } catch (error) {
    if (!(error instanceof DerpError)) throw error
    writeError(`${name}: ${error.message}\n`)
    return exitCodeOf(error)
  }
}

/** The exit code of a command that failed. */
export function exitCodeOf({ code }: DerpError): number {
  return USAGE_CODES.has(code) ? EXIT_USAGE : EXIT_FAILED
}
