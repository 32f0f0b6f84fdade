/**
 * Measures what operations cost, predicts regions of two and three relays with it, runs them, and compares. Needs Linux, Go
 * and an otherwise idle machine.
 *
 * npm run simulate:verify [-- --rounds 3] [--heals 3] [--seconds 4] [--keep] [--document]
 */

import { parseArgs } from 'node:util'
import { wholeNumber } from '../arguments.ts'
import { Identity } from '../contender.ts'
import { loadGenerator } from '../tools.ts'
import { costsOf, type Figures, measureRound } from './calibrate.ts'
import { readScaling, writeScaling, writeScalingResults } from './scaling.ts'
import { checksTable, costsTable } from './tables.ts'
import { checksOf, RealRuns } from './verify.ts'

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      /** Of each failure in each round. */
      heals: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      /** Verifies with the costs of the last run. */
      keep: { type: 'boolean', default: false },
      document: { type: 'boolean', default: false },
    },
  })
  const [rounds, heals] = [wholeNumber('rounds', values.rounds), wholeNumber('heals', values.heals)]
  using identity = await Identity.create()
  const note = (text: string) => void process.stderr.write(`${text}\n`)
  const seconds = wholeNumber('seconds', values.seconds)
  const ports = { load: [await loadGenerator()] as const, identity, note, seconds }
  const measured: Figures[] = []
  const runs = new RealRuns()
  // In turn, as the machine may be faster at one time than at another.
  for (let round = 1; round <= rounds; round++) {
    if (!values.keep) {
      const figures = await measureRound(ports)
      measured.push(figures)
      const text = Object.entries(figures).map(([name, value]) => `${name} ${value.toPrecision(3)}`)
      note(`costs, round ${round}: ${text.join('  ')}`)
    }
    await runs.run(ports, heals)
  }
  const costs = values.keep ? readScaling().costs : await costsOf(measured)
  process.stdout.write(`${costsTable(costs)}\n\n`)
  const checks = checksOf(costs, runs, seconds)
  process.stdout.write(`${checksTable(checks)}\n`)
  if (!values.document) return
  writeScalingResults({ costs, checks })
  writeScaling({ costs, checks })
}

await main().catch((error: unknown) => {
  process.stderr.write(`simulate:verify: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
})
