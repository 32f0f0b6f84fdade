/** The source of another git ref, in a folder for as long as it is needed. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

export class GitTree implements Disposable {
  readonly directory: string
  readonly commit: string
  readonly #parent: string

  /** Unpacks the ref. Its dependencies are those that are installed here. @throws Error when git knows no such ref. */
  constructor(ref: string) {
    this.commit = run('git', 'rev-parse', '--short=10', '--verify', `${ref}^{commit}`).trim()
    this.#parent = mkdtempSync(join(tmpdir(), 'derphttp-against-'))
    this.directory = join(this.#parent, 'tree')
    // An archive, not a worktree: the repository knows nothing of it, should this run be cut short.
    const archive = join(this.#parent, 'tree.tar')
    run('git', 'archive', '--output', archive, this.commit)
    mkdirSync(this.directory)
    run('tar', '-xf', archive, '-C', this.directory)
    symlinkSync(join(ROOT, 'node_modules'), join(this.directory, 'node_modules'))
  }

  [Symbol.dispose](): void {
    rmSync(this.#parent, { recursive: true })
  }
}

function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
