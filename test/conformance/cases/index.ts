/** All cases. */

import type { ConformanceCase } from '../case.ts'
import { loginCases } from './login.ts'
import { packetCases } from './packets.ts'

export const ALL_CASES: readonly ConformanceCase[] = [...loginCases, ...packetCases]
