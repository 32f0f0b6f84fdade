/** Accounts and groups of this machine, by name or number, from the files that list them. */

import { readFileSync } from 'node:fs'
import type { Account } from '../../daemon/settings.ts'
import { badSetting } from './settings/setting.ts'

/** Where accounts and groups are listed, as `name:password:number:…`. */
export interface AccountFiles {
  readonly passwd: string
  readonly group: string
}

const FILES: AccountFiles = { passwd: '/etc/passwd', group: '/etc/group' }
/** The largest number of an account; one above it means "leave as it is" to the system. */
const MAX_ID = 2 ** 32 - 2

/** The account for the values of `-user` and `-group`, which may be empty. @throws DerpError naming the flag. */
export function findAccount(user: string, group: string, files: AccountFiles = FILES): Account {
  const entry = entryOf(files.passwd, user)
  const uid = entry === undefined ? numberOf('user', user, files.passwd) : Number(entry[2])
  if (uid === 0) throw badSetting('user', user, 'is root, as before; name another account, or leave the flag out')
  if (entry === undefined && group === '') {
    throw badSetting('user', user, `not in ${files.passwd}; name its group by -group`)
  }
  const gid = group === '' ? Number(entry?.[3]) : findGroup(group, files)
  return { uid, gid, groups: [...new Set([gid, ...groupsOf(entry?.[0], files)])] }
}

/** Groups that have the user among their members. */
function groupsOf(user: string | undefined, { group: path }: AccountFiles): number[] {
  return entriesOf(path)
    .filter(([, , , members = '']) => user !== undefined && members.split(',').includes(user))
    .map(([, , gid]) => Number(gid))
}

function findGroup(group: string, { group: path }: AccountFiles): number {
  const entry = entryOf(path, group)
  return entry === undefined ? numberOf('group', group, path) : Number(entry[2])
}

/** The fields of the entry with this name or number. */
function entryOf(path: string, wanted: string): string[] | undefined {
  const entries = entriesOf(path)
  return entries.find(([name]) => name === wanted) ?? entries.find(([, , id]) => id === wanted)
}

/** An image may come without these files. */
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
  throw badSetting(flag, text, `not in ${path}; name one that is, or give its number`)
}
