/** All cases for several relays. */

import { deliveryCases } from './delivery.ts'
import { departureCases } from './departures.ts'
import { moveCases } from './moves.ts'
import { privilegedCases } from './privileged.ts'
import type { RegionCase } from './region-case.ts'
import { restartCases } from './restarts.ts'
import { stockCases } from './stock.ts'

export const REGION_CASES: readonly RegionCase[] = [
  ...deliveryCases,
  ...departureCases,
  ...moveCases,
  ...privilegedCases,
  ...stockCases,
  ...restartCases,
]
