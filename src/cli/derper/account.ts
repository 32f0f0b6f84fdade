/** Users and groups of this host, by name or number. */

import { readFileSync } from 'node:fs'
import type { Account } from '../../daemon/settings.ts'
import { settingError } from './settings/setting.ts'

/** Files in the format `name:password:id:…`. */
export interface AccountFiles {
  readonly passwd: string
  readonly group: string
}

const FILES: AccountFiles = { passwd: '/etc/passwd', group: '/etc/group' }
/** The largest ID; the next one means "unchanged" to the system. */
const MAX_ID = 2 ** 32 - 2

/** The account for the values of `-user` and `-group`, which may be empty. @throws DerpError naming the flag. */
export function findAccount(user: string, group: string, files: AccountFiles = FILES): Account {
  const entry = entryOf(files.passwd, user)
  const uid = entry === undefined ? numberOf('user', user, files.passwd) : Number(entry[2])
  if (uid === 0) throw settingError('user', user, 'is root; name another user, or omit the flag')
  if (entry === undefined && group === '') {
    throw settingError('user', user, `not in ${files.passwd}; name its group with -group`)
  }
  const gid = group === '' ? Number(entry?.[3]) : findGroup(group, files)
  return { uid, gid, groups: [...new Set([gid, ...groupsOf(entry?.[0], files)])] }
}

/** Groups that list the user as a member. */
function groupsOf(user: string | undefined, { group: path }: AccountFiles): number[] {
  return entriesOf(path)
    .filter(([, , , members = '']) => user !== undefined && members.split(',').includes(user))
    .map(([, , gid]) => Number(gid))
}

function findGroup(group: string, { group: path }: AccountFiles): number {
  const entry = entryOf(path, group)
  return entry === undefined ? numberOf('group', group, path) : Number(entry[2])
}

/** Fields of the entry with this name or ID. */
function entryOf(path: string, wanted: string): string[] | undefined {
  const entries = entriesOf(path)
  return entries.find(([name]) => name === wanted) ?? entries.find(([, , id]) => id === wanted)
}

/** Container images may lack these files. */
function entriesOf(path: string): string[][] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map(line => line.split(':'))
  } catch {
    return []
  }
}

function numberOf(flag: string, text: string, path: string): number {
  if (/^\d+$/.test(text) && Number(text) <= MAX_ID) return Number(text)
  throw settingError(flag, text, `not in ${path}; use a listed name, or a numeric ID`)
}
