/** The account to run as, from the flags. */

import type { Account } from '../../../daemon/settings.ts'
import type { FlagValues } from '../../go-flags.ts'
import { findAccount } from '../account.ts'
import type { OPERATION_FLAGS } from '../flags/operations.ts'
import { settingError } from './setting.ts'

/** Undefined to stay the current user. @throws DerpError naming flag, value and reason. */
export function accountSettings({ user, group }: FlagValues<typeof OPERATION_FLAGS>): Account | undefined {
  if (user === '') {
    if (group === '') return undefined
    throw settingError('group', group, 'needs -user; set both')
  }
  if (process.getuid?.() !== 0) {
    throw settingError('user', user, 'only root can switch users; start as root, or omit the flag')
  }
  return findAccount(user, group)
}
