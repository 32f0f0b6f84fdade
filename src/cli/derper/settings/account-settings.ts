/** As whom the daemon runs, from the flags. */

import type { Account } from '../../../daemon/settings.ts'
import type { FlagValues } from '../../go-flags.ts'
import { findAccount } from '../account.ts'
import type { OPERATION_FLAGS } from '../flags/operations.ts'
import { badSetting } from './setting.ts'

/** Undefined to stay who started it. @throws DerpError naming flag, value and reason. */
export function accountSettings({ user, group }: FlagValues<typeof OPERATION_FLAGS>): Account | undefined {
  if (user === '') {
    if (group === '') return undefined
    throw badSetting('group', group, 'goes with -user only; name a user as well')
  }
  if (process.getuid?.() !== 0) {
    throw badSetting('user', user, 'only root can become somebody else; start it as root, or leave the flag out')
  }
  return findAccount(user, group)
}
