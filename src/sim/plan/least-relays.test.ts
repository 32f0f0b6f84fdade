import { describe, expect, test } from 'vitest'
import { COSTS } from '../../../test/support/plan-costs.ts'
import { leastRelays, limitOf, mostClients, USUAL_LIMITS } from './least-relays.ts'
import { modelRates } from './message-model.ts'
import { makePlan } from './plan.ts'
import { type Kind, predict } from './prediction.ts'
import { USUAL_WORKLOAD, type Workload } from './workload.ts'

const planned = (kind: Kind, workload: Workload) => predict(kind, workload, modelRates(workload), COSTS)

describe('the least number of relays', () => {
  test('is within all limits, and one relay less is not', () => {
    const workload = { ...USUAL_WORKLOAD, clients: 200_000 }
    for (const kind of ['mesh', 'region'] as const) {
      const { relays } = leastRelays(kind, workload, COSTS) ?? { relays: 0 }
      expect(relays).toBeGreaterThan(2)
      expect(limitOf(planned(kind, { ...workload, relays }), USUAL_LIMITS)).toBeUndefined()
      expect(limitOf(planned(kind, { ...workload, relays: relays - 1 }), USUAL_LIMITS)).toBeDefined()
    }
  })

  test('does not exist for more clients than a relay of a mesh can store, or the searches of a region allow', () => {
    const workload = { ...USUAL_WORKLOAD, clients: 20e6 }
    expect(leastRelays('mesh', workload, COSTS)).toBeUndefined()
    expect(leastRelays('region', workload, COSTS)).toBeUndefined()
    // Flows are so rare that searches do not matter.
    expect(leastRelays('region', { ...workload, flowEverySeconds: 36_000 }, COSTS)).toBeDefined()
  })

  test('exists up to the most clients', () => {
    const most = mostClients('mesh', USUAL_WORKLOAD, COSTS)
    expect(most).toBeGreaterThan(1e6)
    expect(leastRelays('mesh', { ...USUAL_WORKLOAD, clients: most }, COSTS)).toBeDefined()
    expect(leastRelays('mesh', { ...USUAL_WORKLOAD, clients: most * 1.2 }, COSTS)).toBeUndefined()
  })
})

test.each([
  [{ largest: { cores: 0.7 } }, 'processor time of a relay'],
  [{ largest: { memoryBytes: 7e9 } }, 'memory of a relay'],
  [{ nats: { cores: 3 } }, 'processor time of NATS'],
  [{ takeoverSeconds: 61 }, 'logins when a relay fails'],
  [{}, undefined],
] as const)('names what is too much: %j', (part, limit) => {
  const usual = planned('region', { ...USUAL_WORKLOAD, relays: 10 })
  const { nats, largest } = { nats: {}, largest: {}, ...part }
  const prediction = { ...usual, ...part, largest: { ...usual.largest, ...largest } }
  if (usual.nats === undefined) throw new Error('plan region: no NATS')
  expect(limitOf({ ...prediction, nats: { ...usual.nats, ...nats } }, USUAL_LIMITS)).toBe(limit)
})

describe('a plan', () => {
  test('is simulated if it is small, and calculated if it is large', () => {
    const small = makePlan({ ...USUAL_WORKLOAD, clients: 90, flowPackets: 10 }, COSTS, { natsGoneMs: 3_000 })
    expect([small.method, small.rates.clients > 60, small.mesh.links]).toEqual(['simulation', true, 6])
    const large = makePlan({ ...USUAL_WORKLOAD, relays: 2_000, clients: 1e7 }, COSTS, { natsGoneMs: 3_000 })
    expect([large.method, large.rates.clients]).toEqual(['model', 1e7])
    expect(large.healMs.relay).toBeGreaterThan(450)
  })

  test('of one relay has nothing to heal but its start', () => {
    const { healMs, region } = makePlan({ ...USUAL_WORKLOAD, relays: 1, clients: 60 }, COSTS, { natsGoneMs: 3_000 })
    expect(healMs).toEqual({ relay: 450, nats: 0 })
    expect([region.nats, region.takeoverSeconds]).toEqual([undefined, 0])
  })
})
