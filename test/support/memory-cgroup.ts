/** A control group of limited memory; only root can make one, and not in every container. */

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MemoryCgroup {
  /** Arguments of a shell that runs the program behind them in the group. */
  readonly shell: readonly string[]
  /** Call when its programs have ended. */
  remove(): void
}

const VERSIONS = [
  { root: '/sys/fs/cgroup', mark: 'cgroup.controllers', limit: 'memory.max' },
  { root: '/sys/fs/cgroup/memory', mark: 'memory.limit_in_bytes', limit: 'memory.limit_in_bytes' },
] as const

/** Undefined where none can be made. */
export function memoryCgroup(bytes: number): MemoryCgroup | undefined {
  for (const { root, mark, limit } of VERSIONS) {
    if (!existsSync(join(root, mark))) continue
    const folder = join(root, `derphttp-test-${process.pid}-${Math.random().toString(36).slice(2)}`)
    try {
      mkdirSync(folder)
    } catch {
      continue
    }
    try {
      writeFileSync(join(folder, limit), String(bytes))
      return {
        shell: ['-c', `echo $$ > ${join(folder, 'cgroup.procs')} && exec "$@"`, 'sh'],
        remove: () => rmdirSync(folder),
      }
    } catch {
      rmdirSync(folder)
    }
  }
  return undefined
}
