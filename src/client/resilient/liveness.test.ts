import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { Liveness } from './liveness.ts'

const TIMEOUT = new DerpError('ERR_DERP_PING_TIMEOUT', 'no answer')

function setUp() {
  const clock = new FakeClock()
  const pings: PromiseWithResolvers<void>[] = []
  const told: string[] = []
  const liveness = new Liveness(
    clock,
    { healthyAfterMs: 10, pingIntervalMs: 30 },
    {
      ping: () => {
        pings.push(Promise.withResolvers())
        return (pings.at(-1) as PromiseWithResolvers<void>).promise
      },
      onPong: () => told.push('pong'),
      onDead: error => told.push(error.code),
    },
  )
  const pass = async (ms: number) => {
    clock.advance(ms)
    await settle()
  }
  return { clock, pings, told, liveness, pass }
}

test('Liveness pings once regardless of traffic, then only after silence (P-091)', async () => {
  const { pings, told, liveness, pass } = setUp()
  await pass(5)
  liveness.touch()
  await pass(4)
  expect(pings).toHaveLength(0)
  await pass(1)
  expect(pings).toHaveLength(1)
  pings[0]?.resolve()
  await pass(0)
  expect(told).toEqual(['pong'])
  for (let i = 0; i < 10; i++) {
    await pass(29)
    liveness.touch()
  }
  expect(pings).toHaveLength(1)
  await pass(29)
  expect(pings).toHaveLength(1)
  await pass(1)
  expect(pings).toHaveLength(2)
})

test('Liveness treats an unanswered ping as the end, unless something else arrived (P-091)', async () => {
  const { pings, told, liveness, pass } = setUp()
  await pass(10)
  liveness.touch()
  pings[0]?.reject(TIMEOUT)
  await pass(0)
  await pass(30)
  expect(told).toEqual([])
  pings[1]?.reject(TIMEOUT)
  await pass(0)
  expect(told).toEqual(['ERR_DERP_PING_TIMEOUT'])
})

test('Liveness ignores connection failures', async () => {
  const { clock, pings, told, pass } = setUp()
  await pass(10)
  pings[0]?.reject(new DerpError('ERR_DERP_CONN_CLOSED', 'closed'))
  await pass(100)
  expect(told).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})

test('Liveness is suspended while no one receives', async () => {
  const { pings, told, liveness, pass } = setUp()
  await pass(10)
  liveness.suspend()
  pings[0]?.reject(TIMEOUT)
  await pass(300)
  liveness.probe()
  expect(pings).toHaveLength(1)
  expect(told).toEqual([])
  liveness.resume()
  await pass(60)
  expect(pings).toHaveLength(2)
})

test('Liveness.probe pings at once, unless a ping is pending', async () => {
  const { pings, told, liveness, pass } = setUp()
  liveness.probe()
  liveness.probe()
  expect(pings).toHaveLength(1)
  pings[0]?.resolve()
  await pass(0)
  await pass(29)
  expect(told).toEqual(['pong'])
  expect(pings).toHaveLength(1)
  await pass(1)
  expect(pings).toHaveLength(2)
})

test('Liveness.stop leaves no timer and reports nothing more', async () => {
  for (const settleIt of [(ping?: PromiseWithResolvers<void>) => ping?.resolve(), undefined]) {
    const { clock, pings, told, liveness, pass } = setUp()
    liveness.probe()
    liveness.stop()
    if (settleIt) settleIt(pings[0])
    else pings[0]?.reject(TIMEOUT)
    await pass(100)
    expect(told).toEqual([])
    expect(clock.pendingTimers).toBe(0)
  }
})
