/** A file system that holds glibc, `/proc` and one program, in which that program is the only one there is. */

import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
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

/** With a path, as its environment has none. */
const CHROOT = ['/usr/sbin/chroot', '/usr/bin/chroot'].find(existsSync) ?? 'chroot'

interface BareProcess {
  readonly user: string
  readonly env: Readonly<Record<string, string>>
}

export class BareRoot implements Disposable {
  /** Its path from outside. */
  readonly path: string = mkdtempSync(join(tmpdir(), 'bare-root-'))

  /** Takes in a program, with the libraries that it is linked with. */
  add(program: string, ...names: string[]): void {
    for (const name of names) {
      mkdirSync(dirname(join(this.path, name)), { recursive: true })
      copyFileSync(program, join(this.path, name))
    }
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
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }

  /** Starts a program of it, without any environment. */
  start(name: string, ...args: string[]): Promise<Program> {
    return this.startAs({ user: '0:0', env: {} }, name, ...args)
  }

  /** Starts a program of it as a user, `uid:gid`, with that environment alone. */
  startAs({ user, env }: BareProcess, name: string, ...args: string[]): Promise<Program> {
    // The mount goes with the program; `exec` makes signals reach it.
    const enter = 'mount -t proc proc "$0/proc" && exec env -i "$@"'
    const variables = Object.entries(env).map(each => each.join('='))
    const change = [CHROOT, `--userspec=${user}`, this.path, `/${name}`, ...args]
    return startProgram('unshare', ['--mount', 'sh', '-c', enter, this.path, ...variables, ...change])
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true })
  }
}
