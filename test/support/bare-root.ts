/** A file system that holds glibc, `/proc` and one program, in which that program is the only one there is. */

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Program, startProgram } from './process.ts'

/** Whether such a root can be made. Elsewhere its tests are skipped with one line; in CI that is a failure. */
export const canChangeRoot: boolean = lookForRoot()

function lookForRoot(): boolean {
  if (process.platform === 'linux' && process.getuid?.() === 0) return true
  if (process.env['CI']) throw new Error('change root: only root on Linux can, and CI may skip nothing')
  process.stderr.write('tests of single files in a bare root are skipped: only root on Linux can change it\n')
  return false
}

export class BareRoot implements Disposable {
  /** Its path from outside. */
  readonly path: string = mkdtempSync(join(tmpdir(), 'bare-root-'))

  /** Takes in a program, with the libraries that it is linked with. */
  add(program: string, ...names: string[]): void {
    for (const name of names) copyFileSync(program, join(this.path, name))
    const linked = execFileSync('ldd', [program], { encoding: 'utf8' })
    for (const [library] of linked.matchAll(/\/\S+\.so[.\d]*/g)) {
      mkdirSync(join(this.path, dirname(library)), { recursive: true })
      copyFileSync(library, join(this.path, library))
    }
    mkdirSync(join(this.path, 'proc'), { recursive: true })
  }

  /** Makes a folder; returns its path from outside. */
  folder(name: string): string {
    const path = join(this.path, name)
    mkdirSync(path, { mode: 0o700 })
    return path
  }

  /** Starts a program of it, without any environment. */
  start(name: string, ...args: string[]): Promise<Program> {
    // The mount goes with the program; `exec` makes signals reach it.
    const enter = 'mount -t proc proc "$0/proc" && exec env -i "$(command -v chroot)" "$0" "$@"'
    return startProgram('unshare', ['--mount', 'sh', '-c', enter, this.path, `/${name}`, ...args])
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}
