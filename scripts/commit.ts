/** The commit that a build is made of. */

import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'

function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return undefined
  }
}

/**
 * Its first nine digits, with `-dirty` if tracked files differ from it.
 *
 * Where the repository is not at hand, as in the container that builds the image, the variable DERPHTTP_COMMIT tells it.
 */
export function buildCommit(): string | undefined {
  const told = process.env['DERPHTTP_COMMIT']
  if (told !== undefined && told !== '') return told
  const commit = git('rev-parse', '--short=9', 'HEAD')
  if (commit === undefined) return undefined
  return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}-dirty`
}

/** When what is built was made, in seconds since 1970; of a tree without a commit, that of its licence. */
export function commitSeconds(): number {
  const committed = git('log', '-1', '--format=%ct')
  return committed === undefined ? Math.floor(statSync('LICENSE').mtimeMs / 1_000) : Number(committed)
}
