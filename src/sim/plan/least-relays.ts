/** The smallest region or mesh that can carry a workload. */

import type { Costs } from './costs.ts'
import { modelRates } from './message-model.ts'
import { type Kind, type Prediction, predict } from './prediction.ts'
import type { Workload } from './workload.ts'

/** Limits of a node. */
export interface NodeLimits {
  /** Busy cores of a relay: it has one process, and needs a reserve. */
  readonly relayCores: number
  readonly relayBytes: number
  /** Busy cores of NATS. */
  readonly natsCores: number
  /** Seconds until the others have taken over the clients of a failed relay. */
  readonly takeoverSeconds: number
}

export const USUAL_LIMITS: NodeLimits = { relayCores: 0.6, relayBytes: 6e9, natsCores: 2, takeoverSeconds: 60 }

/** Maximum number of relays to try. */
const MAX_RELAYS = 1_000
/** Step from one size to the next, as a share. */
const STEP = 0.03

/** Which limit is exceeded; undefined if none is. */
export function limitOf({ largest, nats, takeoverSeconds }: Prediction, limits: NodeLimits): string | undefined {
  if (largest.cores > limits.relayCores) return 'processor time of a relay'
  if (largest.memoryBytes > limits.relayBytes) return 'memory of a relay'
  if ((nats?.cores ?? 0) > limits.natsCores) return 'processor time of NATS'
  if (takeoverSeconds > limits.takeoverSeconds) return 'logins when a relay fails'
  return undefined
}

/** The prediction for the least number of relays within the limits; undefined if there is none. At least two share the clients. */
export function leastRelays(
  kind: Kind,
  workload: Workload,
  costs: Costs,
  limits: NodeLimits = USUAL_LIMITS,
): { readonly relays: number; readonly prediction: Prediction } | undefined {
  for (let relays = 2; relays <= MAX_RELAYS; relays = Math.ceil(relays * (1 + STEP))) {
    const sized = { ...workload, relays }
    const prediction = predict(kind, sized, modelRates(sized), costs)
    if (limitOf(prediction, limits) === undefined) return { relays, prediction }
  }
  return undefined
}

/** The most clients that any number of relays can carry within the limits, to two digits. */
export function mostClients(kind: Kind, workload: Workload, costs: Costs, limits: NodeLimits = USUAL_LIMITS): number {
  let most = 0
  for (let clients = 1_000; clients < 1e9; clients *= 1.1) {
    const rounded = Number(clients.toPrecision(2))
    if (leastRelays(kind, { ...workload, clients: rounded }, costs, limits) === undefined) break
    most = rounded
  }
  return most
}
