/** Drops root privileges once ports are bound and keys are read (`-user`, `-group`). */

import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import type { Clock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import { FileAccess } from '../lib/files/node-file-access.ts'
import type { Log } from '../lib/log.ts'
import type { Account } from './settings.ts'

/** A file or folder used after startup. */
export interface PathUse {
  /** The flag or variable that names it. */
  readonly flag: string
  readonly path: string
  readonly use: 'read' | 'write'
}

/** Switches to `account` for good. @throws DerpError when the system refuses, or root could be regained. */
export function dropPrivileges({ uid, gid, groups }: Account): void {
  try {
    // Groups first: changing them needs root.
    process.setgroups?.([...groups])
    process.setgid?.(gid)
    process.setuid?.(uid)
  } catch (error) {
    throw failure(uid, (error as Error).message, error)
  }
  if (process.getuid?.() !== uid || process.getgid?.() !== gid || canRegainRoot())
    throw failure(uid, 'root privileges remain')
}

function canRegainRoot(): boolean {
  try {
    process.setuid?.(0)
    return true
  } catch {
    return false
  }
}

/** Warns of paths that the new user cannot access, before they are needed. */
export async function warnOfInaccessible(uses: readonly PathUse[], log: Log, clock: Clock): Promise<void> {
  for (const { flag, path, use } of uses) {
    const mode = use === 'read' ? constants.R_OK : constants.W_OK
    try {
      await new FileAccess('read', path, clock, () => access(path, mode)).run()
    } catch (error) {
      const fields = { flag, path, use, reason: (error as Error).message }
      log.warn('path is inaccessible without root privileges: change its owner or mode', fields)
    }
  }
}

function failure(uid: number, reason: string, cause?: unknown): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `set flag -user: become user ${uid}: ${reason}`, { cause })
}
