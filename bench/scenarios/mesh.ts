/** Two mesh peers, senders on one and receivers on the other: CPU time of both per packet. */

import { CONTENDER_IDS, hasTwoWorkers } from '../contender.ts'
import type { Scenario } from '../scenario.ts'
import { type FlowShape, flowScenario } from './flow.ts'

const SHAPES: readonly FlowShape[] = [
  { carriage: 'tls', size: 1280, pairs: 20 },
  { carriage: 'tls', size: 1280, pairs: 2 },
  { carriage: 'tls', size: 1280, pairs: 150 },
  { carriage: 'tls', size: 64, pairs: 20 },
]

/** The program around the newest release's server has no mesh. */
const MESHED = CONTENDER_IDS.filter(id => id !== 'newest' && !hasTwoWorkers(id))

export const MESH_SCENARIOS: readonly Scenario[] = SHAPES.map(shape => {
  const scenario = flowScenario(shape)
  return {
    ...scenario,
    id: `mesh-${shape.size}-${shape.pairs}`,
    title: `mesh of two, ${scenario.title}`,
    seconds: 2,
    contenders: MESHED,
    isMesh: true,
  }
})
