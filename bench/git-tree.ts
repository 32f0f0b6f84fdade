/** The source of another git ref in a temporary folder. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

export class GitTree implements Disposable {
  readonly directory: string
  readonly commit: string
  /** Display name. */
  readonly label: string
  readonly #parent: string

  /** Unpacks the ref, with the dependencies installed here. @throws Error for an unknown ref. */
  constructor(ref: string) {
    this.commit = run('git', 'rev-parse', '--short=10', '--verify', `${ref}^{commit}`).trim()
    this.label = `derphttp of ${ref}, ${this.commit}`
    this.#parent = mkdtempSync(join(tmpdir(), 'derphttp-against-'))
    this.directory = join(this.#parent, 'tree')
    // An archive instead of a worktree, which an aborted run would leave registered in the repository.
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
