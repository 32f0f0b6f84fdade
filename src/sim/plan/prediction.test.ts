import { expect, test } from 'vitest'
import { COSTS as USUAL } from '../../../test/support/plan-costs.ts'
import type { Costs } from './costs.ts'
import { modelRates } from './message-model.ts'
import { predict } from './prediction.ts'
import type { Rates } from './rates.ts'
import { USUAL_WORKLOAD, type Workload } from './workload.ts'

const COSTS: Costs = { ...USUAL, micros: { ...USUAL.micros, idleRelay: 1_000, idleNats: 500 } }

const WORKLOAD: Workload = { ...USUAL_WORKLOAD, relays: 2, clients: 6_000, replies: 0, burst: 4, packetBytes: 1_000 }

const RATES: Rates = {
  relays: 2,
  localPackets: 10_000,
  crossPackets: 5_000,
  lostPackets: 0,
  logins: 10,
  messages: {
    find: { published: 50, delivered: 50, keys: 100, bytes: 3_650 },
    here: { published: 10, delivered: 10, keys: 10, bytes: 540 },
  },
  routes: 2_000,
  links: 2,
  clients: 6_000,
}

test('a prediction is what happens times what it costs', () => {
  const { relay, nats, cores, links, takeoverSeconds } = predict('region', WORKLOAD, RATES, COSTS)
  const packets = 10_000 * (4 + 2 + 1) + 5_000 * (8 + 4 + 2)
  const keepAlive = (6_000 / 60) * ((4 + 8) / 2)
  const messages = 50 * 40 + 10 * 20 + 110 * 0.5
  expect(relay.cores).toBeCloseTo(((packets + 10 * 1_500 + keepAlive + messages) / 2 + 1_000) / 1e6, 6)
  expect(relay.memoryBytes).toBe(100e6 + 3_000 * 30e3 + 2_000 * 760)
  expect(relay.gigabitsPerSecond).toBeCloseTo((20_000 * 1_111 * 8) / 2 / 1e9, 6)
  expect(nats).toEqual({
    cores: (500 + 120 * 4) / 1e6,
    memoryBytes: 20e6 + 2 * 50e3,
    messagesIn: 60,
    messagesOut: 60,
    megabitsPerSecond: (4_190 * 8) / 1e6,
  })
  expect(cores).toBeCloseTo(relay.cores * 2 + (nats?.cores ?? 0), 9)
  expect(links).toBe(2)
  expect(takeoverSeconds).toBeCloseTo((3_000 * 1.5e-3) / 0.5, 6)
})

test('the relay with the most clients has most of the load', () => {
  const { largest, relay } = predict('region', { ...WORKLOAD, skew: 1 }, RATES, COSTS)
  expect(largest.clients).toBe(4_000)
  expect(largest.cores).toBeGreaterThan(relay.cores)
  expect(largest.memoryBytes - relay.memoryBytes).toBe(1_000 * 30e3)
})

test('relays of a full mesh know all clients, those of a region only the peers of their own', () => {
  const workload = { ...USUAL_WORKLOAD, relays: 50, clients: 5_000_000 }
  const rates = modelRates(workload)
  const mesh = predict('mesh', workload, rates, COSTS)
  const region = predict('region', workload, rates, COSTS)
  expect(mesh.links).toBe(50 * 49)
  expect(mesh.nats).toBeUndefined()
  expect(mesh.relay.memoryBytes - region.relay.memoryBytes).toBeCloseTo(4_900_000 * 1_200 - rates.routes * 760, -3)
})
