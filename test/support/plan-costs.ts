/** What operations cost, for tests of the planner: figures to calculate with, not measured ones. */

import type { Costs } from '../../src/sim/plan/costs.ts'

export const COSTS: Costs = {
  date: '2026-11-30T00:00Z',
  commit: 'none',
  machine: { processor: 'none', cores: 2 },
  relay: 'none',
  nats: 'none',
  micros: {
    idleRelay: 2_000,
    idleNats: 1_000,
    localPacket: { packet: 4, burst: 8, byte: 0.001 },
    crossPacket: { packet: 8, burst: 16, byte: 0.002 },
    login: 1_500,
    find: { alone: 40, together: 20 },
    message: { alone: 20, together: 10 },
    key: 0.5,
    nats: { alone: 4, together: 2 },
    meshPresence: 11,
  },
  bytes: { relay: 100e6, client: 30e3, route: 760, meshClient: 1_200, nats: 20e6, natsRelay: 50e3 },
  ms: { listens: 350, hasClients: 450, hasNats: 500 },
}
