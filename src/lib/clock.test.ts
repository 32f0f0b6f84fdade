import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'

const after = (delayMs: number) => new Promise<void>(resolve => void systemClock.after(delayMs, resolve))
/** Timers do not keep the process alive, so this does while a test waits for them. */
const whileAlive = async <T>(wait: Promise<T>): Promise<T> => {
  const keepAlive = setInterval(() => {}, 1_000)
  return await wait.finally(() => clearInterval(keepAlive))
}

test('systemClock.after never fires early, not by a fraction of a millisecond', async () => {
  const delays = Array.from({ length: 40 }, (_, i) => 1 + i * 0.37)
  const waited = delays.map(async delayMs => {
    const startMs = systemClock.now()
    await after(delayMs)
    return systemClock.now() - startMs - delayMs
  })
  for (const lateMs of await whileAlive(Promise.all(waited))) expect(lateMs).toBeGreaterThanOrEqual(0)
})

test('systemClock.after takes delays longer than the platform maximum', async () => {
  let fired = false
  const timers = [2 ** 31, 1e12, Infinity].map(delayMs => systemClock.after(delayMs, () => (fired = true)))
  await whileAlive(after(5))
  expect(fired).toBe(false)
  for (const timer of timers) timer.cancel()
})

test('systemClock.after can be cancelled, more than once and after it fired', async () => {
  let fired = 0
  const cancelled = systemClock.after(0, () => fired++)
  cancelled.cancel()
  cancelled.cancel()
  const done = systemClock.after(0, () => fired++)
  await whileAlive(after(2))
  done.cancel()
  expect(fired).toBe(1)
})

test('systemClock.after does not keep the process alive unless told to', () => {
  const count = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = count()
  const timer = systemClock.after(60_000, () => {})
  expect(count()).toBe(before)
  const holding = systemClock.after(60_000, () => {}, true)
  expect(count()).toBe(before + 1)
  timer.cancel()
  holding.cancel()
  expect(count()).toBe(before)
})

test('systemClock.afterTurn runs after everything queued in the turn', async () => {
  const order: string[] = []
  await new Promise<void>(resolve => {
    systemClock.afterTurn(() => {
      order.push('after turn')
      resolve()
    })
    process.nextTick(() => order.push('tick'))
    queueMicrotask(() => order.push('microtask'))
    order.push('now')
  })
  expect(order.at(-1)).toBe('after turn')
  expect(order).toHaveLength(4)
})
