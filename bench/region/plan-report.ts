/** What the planner answers to its command line. */

import type { Costs } from '../../src/sim/plan/costs.ts'
import { leastRelays, limitOf, USUAL_LIMITS } from '../../src/sim/plan/least-relays.ts'
import { type PlanOptions, readPlanOptions, USAGE } from '../../src/sim/plan/options.ts'
import { makePlan, type Plan } from '../../src/sim/plan/plan.ts'
import type { Prediction } from '../../src/sim/plan/prediction.ts'
import { totalMessages } from '../../src/sim/plan/rates.ts'
import { table } from '../report/tables.ts'
import { shortNumber } from '../statistics.ts'

/** The text to print. @throws Error for arguments that make no sense. */
export function planAnswer(args: readonly string[], costs: Costs): string {
  const options = readPlanOptions(args)
  if (options.help) return USAGE
  const plan = makePlan(sized(options, costs), costs, options)
  if (options.json) return `${JSON.stringify({ ...plan, costs }, undefined, 2)}\n`
  return `${report(plan)}\n\nCosts measured ${costs.date} on ${costs.machine.processor}, ${costs.relay}.\n`
}

/** With the number of relays that the region needs, if it is to be found. */
function sized({ workload, fit: isSought }: PlanOptions, costs: Costs): PlanOptions['workload'] {
  if (!isSought) return workload
  const found = leastRelays('region', workload, costs)
  if (found === undefined) throw new Error(`plan region: no number of relays carries ${workload.clients} clients`)
  return { ...workload, relays: found.relays }
}

function report({ workload, method, rates, region, mesh, healMs }: Plan): string {
  const { relays, clients } = workload
  const both = (name: string, unit: string, of: (prediction: Prediction) => number | undefined) => {
    const cell = (value: number | undefined) => (value === undefined ? '' : shortNumber(value))
    return [name, unit, cell(of(region)), cell(of(mesh))]
  }
  const rows = [
    both('relay: processor', '% of a core', ({ relay }) => relay.cores * 100),
    both('relay: memory', 'MB', ({ relay }) => relay.memoryBytes / 1e6),
    both('relay: sends', 'Gbit/s', ({ relay }) => relay.gigabitsPerSecond),
    both('relay: clients', '', ({ relay }) => relay.clients),
    both('largest relay: processor', '% of a core', ({ largest }) => largest.cores * 100),
    both('largest relay: memory', 'MB', ({ largest }) => largest.memoryBytes / 1e6),
    both('links', '', ({ links }) => links),
    both('NATS: processor', '% of a core', ({ nats }) => nats && nats.cores * 100),
    both('NATS: memory', 'MB', ({ nats }) => nats && nats.memoryBytes / 1e6),
    both('NATS: messages in', '/s', ({ nats }) => nats?.messagesIn),
    both('NATS: messages out', '/s', ({ nats }) => nats?.messagesOut),
    both('NATS: sends', 'Mbit/s', ({ nats }) => nats?.megabitsPerSecond),
    both('all processors', 'cores', ({ cores }) => cores),
    both("until others have taken a failed relay's clients", 's', ({ takeoverSeconds }) => takeoverSeconds),
  ]
  const kinds = Object.entries(rates.messages).map(([kind, { published, delivered }]) => {
    return `${kind} ${shortNumber(published)} (${shortNumber(delivered)})`
  })
  return [
    `${shortNumber(relays)} relays, ${shortNumber(clients)} clients, by ${method}`,
    '',
    table(['', 'unit', 'region', 'full mesh'], rows, 'llrr'),
    '',
    `Packets: ${shortNumber(rates.localPackets)}/s within relays, ${shortNumber(rates.crossPackets)}/s between relays.`,
    `Messages per second, sent (delivered): ${kinds.join(', ')}; ${shortNumber(totalMessages(rates).delivered)} delivered.`,
    `Heals ${shortNumber(healMs.relay)} ms after the kill of a relay that starts again at once, and ${shortNumber(healMs.nats)} ms after NATS has returned.`,
    `Too much for nodes as in docs/understand/scaling.md: region ${limitOf(region, USUAL_LIMITS) ?? 'nothing'}, mesh ${limitOf(mesh, USUAL_LIMITS) ?? 'nothing'}.`,
  ].join('\n')
}
