/** All predictions for a workload. */

import type { Costs, RelayStart } from './costs.ts'
import { type Failure, HealRun } from './heal-run.ts'
import { modelRates } from './message-model.ts'
import type { Method } from './options.ts'
import { type Prediction, predict } from './prediction.ts'
import type { Rates } from './rates.ts'
import { RegionRun, USUAL_RUN } from './region-run.ts'
import type { Workload } from './workload.ts'

export interface Plan {
  readonly workload: Workload
  readonly method: Method
  readonly rates: Rates
  readonly region: Prediction
  readonly mesh: Prediction
  /** Milliseconds, by failure; the median of some runs with at most {@link MAX_HEAL_RELAYS} relays. */
  readonly healMs: Readonly<Record<Failure, number>>
}

/** Above it, packets and messages take too long to simulate. */
const MAX_EVENTS = 3_000_000
const MAX_HEAL_RELAYS = 5
const HEAL_RUNS = 5

export function makePlan(
  workload: Workload,
  costs: Costs,
  options: { readonly method?: Method | undefined; readonly natsGoneMs: number },
): Plan {
  const method = options.method ?? (eventsOf(workload) > MAX_EVENTS ? 'model' : 'simulation')
  const rates = method === 'model' ? modelRates(workload) : new RegionRun(workload).run()
  const heal = (failure: Failure) => medianHeal(failure, workload.relays, costs.ms, options.natsGoneMs)
  return {
    workload,
    method,
    rates,
    region: predict('region', workload, rates, costs),
    mesh: predict('mesh', workload, rates, costs),
    healMs: { relay: heal('relay'), nats: heal('nats') },
  }
}

/** Packets and messages of a simulation. */
function eventsOf(workload: Workload): number {
  const { localPackets, crossPackets, messages } = modelRates(workload)
  const delivered = Object.values(messages).reduce((sum, message) => sum + message.delivered, 0)
  return (localPackets + crossPackets + delivered) * (USUAL_RUN.warmupSeconds + USUAL_RUN.seconds)
}

function medianHeal(failure: Failure, relays: number, start: RelayStart, natsGoneMs: number): number {
  if (relays === 1) return failure === 'relay' ? start.hasClients : 0
  const { delay } = USUAL_RUN
  const times = Array.from({ length: HEAL_RUNS }, (_, at) => {
    const size = Math.min(relays, MAX_HEAL_RELAYS)
    return new HealRun({ failure, relays: size, start, natsGoneMs, seed: at + 1, delay }).run()
  })
  return times.toSorted((a, b) => a - b)[HEAL_RUNS >> 1] ?? 0
}
