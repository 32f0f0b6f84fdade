/** Builds programs once for several processes. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Runs `build` unless all `paths` exist, or waits for the process that builds them. `build` must create them atomically. */
export async function buildOnce(paths: readonly string[], build: () => Promise<unknown>): Promise<void> {
  const lock = `${paths[0]}.building`
  while (!paths.every(path => existsSync(path))) {
    if (!take(lock)) {
      await delay(200)
      continue
    }
    try {
      await build()
    } finally {
      rmSync(lock, { force: true })
    }
  }
}

/** Whether the lock was taken; a lock whose process has died is ignored. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    if (!isHeld(lock)) rmSync(lock, { force: true })
    return false
  }
}

function isHeld(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
