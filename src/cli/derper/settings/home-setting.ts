/** What is served at `/`, from the flag. */

import { homeHandler } from '../../../http/pages/home.ts'

/** The value as it is. @throws DerpError naming flag, value and reason. */
export function homeSetting(text: string): string {
  homeHandler(text)
  return text
}
