/** The source of another git ref, in a folder for as long as it is needed. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

export class GitTree implements Disposable {
  readonly directory: string
  readonly commit: string
  readonly #parent: string

  /** Checks the ref out. Its dependencies are those that are installed here. @throws Error when git knows no such ref. */
  constructor(ref: string) {
    this.commit = git('rev-parse', '--short=10', '--verify', `${ref}^{commit}`)
    this.#parent = mkdtempSync(join(tmpdir(), 'derphttp-against-'))
    this.directory = join(this.#parent, 'tree')
    git('worktree', 'add', '--quiet', '--detach', this.directory, this.commit)
    symlinkSync(join(ROOT, 'node_modules'), join(this.directory, 'node_modules'))
  }

  [Symbol.dispose](): void {
    git('worktree', 'remove', '--force', this.directory)
    rmSync(this.#parent, { recursive: true, force: true })
  }
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}
