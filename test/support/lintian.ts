/** Whether Debian's checker of packages is there. Without it its test is skipped with one line; in CI that is a failure. */

import { execFileSync } from 'node:child_process'

export const hasLintian: boolean = lookForLintian()

function lookForLintian(): boolean {
  try {
    execFileSync('lintian', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['CI']) throw new Error('find lintian: not installed, and CI may skip nothing')
    process.stderr.write('the Debian package is not checked: lintian is not installed\n')
    return false
  }
}
