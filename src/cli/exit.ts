/** Exit codes and the one line that goes with a failure. */

import { type Clock, systemClock } from '../lib/clock.ts'
import { DerpError, type DerpErrorCode } from '../lib/derp-error.ts'

export const EXIT_OK = 0
/** The work was begun and failed. */
export const EXIT_FAILED = 1
/** Nothing was begun: flags or configuration are wrong. */
export const EXIT_USAGE = 2

const USAGE_CODES: ReadonlySet<DerpErrorCode> = new Set([
  'ERR_DERP_CONFIG_INVALID',
  'ERR_DERP_KEY_INVALID',
  'ERR_DERP_URL_INVALID',
])

/** Milliseconds that the process has to end by itself. */
const LEAVE_MS = 500

/** Work in threads of the runtime that an exit waits for: names that are looked up, and files. */
const THREADS: ReadonlySet<string> = new Set(['GetAddrInfoReqWrap', 'FSReqPromise', 'FSReqCallback'])

/** Ends the process: what nobody waits for any more, such as an answer from DNS, must not hold it up (P-174). */
export function leave(code: number, clock: Clock = systemClock): void {
  process.exitCode = code
  clock.after(LEAVE_MS, () => {
    if (!process.getActiveResourcesInfo().some(resource => THREADS.has(resource))) process.exit()
    // The signal takes no code along, and waits for nobody.
    process.removeAllListeners('SIGTERM')
    process.kill(process.pid, 'SIGTERM')
  })
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
    return USAGE_CODES.has(error.code) ? EXIT_USAGE : EXIT_FAILED
  }
}
