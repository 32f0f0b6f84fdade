/** Two relays, senders on one and receivers on the other: CPU time of both, and of their NATS server, per packet. */

import { CONTENDER_IDS, hasTwoWorkers } from '../contender.ts'
import type { Scenario } from '../scenario.ts'
import type { Joining } from '../two-relays.ts'
import { type FlowShape, flowScenario } from './flow.ts'

const SHAPES: readonly FlowShape[] = [
  { carriage: 'tls', size: 1280, pairs: 20 },
  { carriage: 'tls', size: 1280, pairs: 2 },
  { carriage: 'tls', size: 1280, pairs: 150 },
  { carriage: 'tls', size: 64, pairs: 20 },
]
const TITLES: Readonly<Record<Joining, string>> = { mesh: 'mesh of two', region: 'region of two (stock: mesh)' }

/** The program around the newest release's server has no mesh. */
const MESHED = CONTENDER_IDS.filter(id => id !== 'newest' && !hasTwoWorkers(id))

export const MESH_SCENARIOS: readonly Scenario[] = SHAPES.flatMap(shape =>
  (['mesh', 'region'] as const).map(joining => scenarioOf(shape, joining)),
)

function scenarioOf(shape: FlowShape, joining: Joining): Scenario {
  const scenario = flowScenario(shape)
  return {
    ...scenario,
    id: `${joining}-${shape.size}-${shape.pairs}`,
    title: `${TITLES[joining]}, ${scenario.title}`,
    seconds: 2,
    contenders: MESHED,
    joining,
  }
}
