/** Whether units can be checked. */

import { execFileSync } from 'node:child_process'

/** Whether `systemd-analyze` is installed. Without it its tests are skipped with one line; in CI that is a failure. */
export const hasAnalyze: boolean = lookForAnalyze()

function lookForAnalyze(): boolean {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['CI']) throw new Error('find systemd-analyze: not installed, and CI may skip nothing')
    process.stderr.write('the systemd unit is not checked: systemd-analyze is not installed\n')
    return false
  }
}
