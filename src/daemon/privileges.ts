/** Giving up the rights of root once ports are bound and keys are read (`-user`, `-group`). */

import { accessSync, constants } from 'node:fs'
import { DerpError } from '../lib/derp-error.ts'
import type { Log } from '../lib/log.ts'
import type { Account } from './settings.ts'

/** A file or folder that is used later on. */
export interface LaterUse {
  /** The flag or variable that names it. */
  readonly flag: string
  readonly path: string
  /** What for; it goes into the warning. */
  readonly use: 'read' | 'write'
}

/** Becomes `account`, for good. @throws DerpError when the system refuses, or would let it be undone. */
export function dropPrivileges({ uid, gid, groups }: Account): void {
  try {
    // The groups first: afterwards there is no right to change them.
    process.setgroups?.([...groups])
    process.setgid?.(gid)
    process.setuid?.(uid)
  } catch (error) {
    throw failure(uid, (error as Error).message, error)
  }
  if (process.getuid?.() !== uid || process.getgid?.() !== gid || canReturn()) throw failure(uid, 'rights remain')
}

function canReturn(): boolean {
  try {
    process.setuid?.(0)
    return true
  } catch {
    return false
  }
}

/** Warns of paths that the new user cannot access, although they are not needed until later. */
export function warnOfLost(uses: readonly LaterUse[], log: Log): void {
  for (const { flag, path, use } of uses) {
    try {
      accessSync(path, use === 'read' ? constants.R_OK : constants.W_OK)
    } catch (error) {
      const fields = { flag, path, use, reason: (error as Error).message }
      log.warn('without the rights of root this cannot be used any more: change its owner or mode', fields)
    }
  }
}

function failure(uid: number, reason: string, cause?: unknown): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `set flag -user: become user ${uid}: ${reason}`, { cause })
}
