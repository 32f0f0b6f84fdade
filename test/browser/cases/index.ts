/** The suite of `derphttp/browser`, for any relay and any runtime. */

import type { ClientCase } from './case.ts'
import { CONNECTING } from './connecting.ts'
import { KEYS } from './keys.ts'
import { PACKETS } from './packets.ts'

export const CASES: readonly ClientCase[] = [...KEYS, ...CONNECTING, ...PACKETS]
