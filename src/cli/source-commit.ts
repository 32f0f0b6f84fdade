/** The commit of a checkout that runs from source. Builds put their own commit in place of this file. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Of this checkout alone: a package may lie within another one. */
const REPOSITORY = join(import.meta.dirname, '../../.git')

/** The first nine digits; undefined without git or its repository. */
export function sourceCommit(): string | undefined {
  const args = ['--git-dir', REPOSITORY, 'rev-parse', '--short=9', 'HEAD']
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}
