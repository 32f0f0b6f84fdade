/** What each client may send, from the file of `-rate-config`. */

import { readFileSync } from 'node:fs'
import { parseRateConfig, type RateLimit } from '../../server/rate-limit.ts'
import { badSetting } from './setting.ts'

/** Reads the file; undefined when it sets no limit. @throws DerpError naming it. */
export function readRateConfig(path: string): RateLimit | undefined {
  try {
    return parseRateConfig(readFileSync(path, 'utf8'))
  } catch (error) {
    throw badSetting('rate-config', path, (error as Error).message, error)
  }
}
