/** What each client may send, from the file of `-rate-config`. */

import { parseRateConfig, type RateLimit } from '../../../server/rate-limit.ts'
import { readSettingFile } from './setting.ts'

/** Reads the file; undefined when it sets no limit. @throws DerpError naming it. */
export function readRateConfig(path: string): RateLimit | undefined {
  return readSettingFile('rate-config', path, parseRateConfig)
}
