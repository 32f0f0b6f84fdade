import { describe, expect, test } from 'vitest'
import { modelRates } from './message-model.ts'
import { type MessageKind, type Rates, totalMessages } from './rates.ts'
import { RegionRun, USUAL_RUN } from './region-run.ts'
import { USUAL_WORKLOAD, type Workload } from './workload.ts'

const BUSY: Workload = {
  ...USUAL_WORKLOAD,
  relays: 3,
  clients: 400,
  sessionSeconds: 60,
  stay: 0,
  flowEverySeconds: 20,
  flowPackets: 8,
  flowRate: 8,
}
/** Long sessions: most flows find a route. */
const CALM: Workload = { ...BUSY, relays: 5, clients: 300, sessionSeconds: 600, stay: 0.5, flowEverySeconds: 60 }

/** Relative difference. */
const apart = (one: number, other: number) => Math.abs(one - other) / Math.max(one, other)

const publishedOf = ({ messages }: Rates, kind: MessageKind) => messages[kind]?.published ?? 0

describe('a simulated region', () => {
  test.each([
    ['busy', BUSY, 180],
    ['calm', CALM, 600],
  ] as const)('has the rates that the model calculates: %s', (_, workload, warmupSeconds) => {
    const simulated = new RegionRun(workload, { ...USUAL_RUN, warmupSeconds, seconds: 120 }).run()
    const model = modelRates(workload)
    for (const field of ['localPackets', 'crossPackets', 'logins', 'routes', 'clients'] as const) {
      expect([field, apart(simulated[field], model[field]) < 0.2]).toEqual([field, true])
    }
    for (const kind of ['beat', 'here', 'gone', 'find', 'found'] as const) {
      expect([kind, apart(publishedOf(simulated, kind), publishedOf(model, kind)) < 0.2]).toEqual([kind, true])
    }
    const [messages, expected] = [totalMessages(simulated), totalMessages(model)]
    expect(apart(messages.delivered, expected.delivered)).toBeLessThan(0.15)
    expect(apart(messages.bytes, expected.bytes)).toBeLessThan(0.15)
    expect(simulated.links).toBe(workload.relays * (workload.relays - 1))
  })

  test('happens the same again with the same seed, and loses nothing while all clients stay', () => {
    const workload = { ...BUSY, clients: 60, sessionSeconds: 1e9, stay: 1 }
    const options = { ...USUAL_RUN, warmupSeconds: 10, seconds: 20 }
    const rates = new RegionRun(workload, options).run()
    expect(new RegionRun(workload, options).run()).toEqual(rates)
    expect(new RegionRun(workload, { ...options, seed: 2 }).run()).not.toEqual(rates)
    // What is under way at the end has not arrived.
    expect(rates.lostPackets).toBeLessThan(1)
    expect(rates.logins).toBe(0)
  })

  test('has no messages and no routes with one relay', () => {
    const workload = { ...BUSY, relays: 1, clients: 60, sessionSeconds: 1e9 }
    const { messages, crossPackets, routes, localPackets } = new RegionRun(workload, {
      ...USUAL_RUN,
      seconds: 20,
    }).run()
    expect([crossPackets, routes, totalMessages({ ...modelRates(workload), messages }).delivered]).toEqual([0, 0, 0])
    expect(apart(localPackets, modelRates(workload).localPackets)).toBeLessThan(0.3)
  })
})
