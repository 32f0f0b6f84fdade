/** Timers of TCP connections, read with `ss`. */

import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether `ss` is installed. Without it tests are skipped with one line; in CI that is a failure. */
export const hasSs: boolean = lookForSs()

function lookForSs(): boolean {
  try {
    execFileSync('ss', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['CI']) throw new Error('find ss: iproute2 is not installed, and CI may skip nothing')
    process.stderr.write('tests of TCP keep-alive are skipped: ss (iproute2) is not installed\n')
    return false
  }
}

/** Seconds until the next keep-alive probe of each connection accepted on `port`; NaN without one. */
export async function keepAliveSeconds(port: number): Promise<number[]> {
  const { stdout } = await run('ss', ['-tnoH', 'state', 'established', `sport = :${port}`])
  return stdout
    .trim()
    .split('\n')
    .map(line => secondsOf(/timer:\(keepalive,([^,]+),/.exec(line)?.[1] ?? ''))
}

/** Parses `9min59sec`, `14sec` or `120ms` to seconds. */
function secondsOf(text: string): number {
  const match = /^(?:(\d+)min)?(?:([\d.]+)sec)?(?:(\d+)ms)?$/.exec(text)
  if (match === null || text === '') return Number.NaN
  const [, minutes = '0', seconds = '0', ms = '0'] = match
  return Number(minutes) * 60 + Number(seconds) + Number(ms) / 1_000
}
