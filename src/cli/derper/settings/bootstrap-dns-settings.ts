/** Names for `/bootstrap-dns`, from the flags. */

import { BootstrapNames } from '../../../http/pages/bootstrap-names.ts'
import { badSetting } from './setting.ts'

/** The names of the flag `flag`, as they are; empty for none. @throws DerpError naming flag, value and reason. */
export function bootstrapNamesSetting(flag: string, text: string): string {
  try {
    if (text !== '') new BootstrapNames(text)
  } catch (error) {
    throw badSetting(flag, text, (error as Error).message, error)
  }
  return text
}
