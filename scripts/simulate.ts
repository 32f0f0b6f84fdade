/** Plans a region of relays: `npm run simulate -- --relays 10 --clients 1000000`. */

import { planAnswer } from '../bench/region/plan-report.ts'
import { readScaling } from '../bench/region/scaling.ts'

try {
  process.stdout.write(planAnswer(process.argv.slice(2), readScaling().costs))
} catch (error) {
  process.stderr.write(`simulate: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
