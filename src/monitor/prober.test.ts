import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { silentLog } from '../lib/log.ts'
import { Prober } from './prober.ts'
import { initialDelayMs } from './spread.ts'

const planOf = (name: string, probe: () => Promise<readonly string[]> = async () => []) => ({
  name,
  intervalMs: 10_000,
  labels: {},
  probeClass: { class: 'test', probe },
})

const make = (options: { isSpread?: boolean; isOnce?: boolean } = {}) => {
  const clock = new FakeClock()
  return { clock, prober: new Prober({ clock, log: silentLog, isSpread: false, isOnce: false, ...options }) }
}

test('Prober.finished waits for probes that other probes have added', async () => {
  const { prober } = make({ isOnce: true })
  prober.run(
    planOf('b', async () => {
      prober.run(planOf('a'))
      return []
    }),
  )
  await prober.finished()
  expect(prober.infos().map(({ name, status }) => [name, status])).toEqual([
    ['a', 'succeeded'],
    ['b', 'succeeded'],
  ])
})

test('Prober refuses a second probe of a name until the first is removed', async () => {
  const { prober } = make()
  prober.run(planOf('a'))
  expect(() => prober.run(planOf('a'))).toThrow('add probe a: there is one of that name')
  await prober.remove('a')
  prober.run(planOf('a'))
  await prober.close()
  expect(prober.probes).toEqual([])
})

test('Prober spreads first runs over the interval', async () => {
  const { clock, prober } = make({ isSpread: true })
  const names = Array.from({ length: 200 }, (_, i) => `derp/x/${i}/tls`)
  for (const name of names) prober.run(planOf(name))
  const begun = () => prober.infos().filter(({ startedAtMs }) => startedAtMs !== undefined).length
  clock.advance(5_000)
  await settle()
  expect(begun()).toBeGreaterThan(60)
  expect(begun()).toBeLessThan(140)
  clock.advance(5_000)
  await settle()
  expect(begun()).toBe(200)
  await prober.close()
})

test('initialDelayMs is the same each time, and below the interval', () => {
  const delays = Array.from({ length: 1_000 }, (_, i) => initialDelayMs(`probe ${i}`, 1_000))
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...delays)).toBeLessThan(1_000)
  expect(delays[7]).toBe(initialDelayMs('probe 7', 1_000))
  expect(initialDelayMs('continuous', -10_000)).toBe(0)
})
