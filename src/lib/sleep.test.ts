import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { sleep } from './sleep.ts'

test('sleep resolves after its delay', async () => {
  const clock = new FakeClock()
  let over = false
  const sleeping = sleep(clock, 100).then(() => {
    over = true
  })
  clock.advance(99)
  await settle()
  expect(over).toBe(false)
  clock.advance(1)
  await sleeping
  expect(over).toBe(true)
})

test.each([0, 1])('sleep resolves when signal %i is aborted, and leaves no timer', async at => {
  const clock = new FakeClock()
  const controllers = [new AbortController(), new AbortController()]
  const sleeping = sleep(clock, 100, undefined, ...controllers.map(({ signal }) => signal))
  controllers[at]?.abort()
  await sleeping
  expect(clock.pendingTimers).toBe(0)
})

test('sleep resolves at once when a signal was aborted before', async () => {
  const clock = new FakeClock()
  await sleep(clock, 100, AbortSignal.abort(), new AbortController().signal)
  expect(clock.pendingTimers).toBe(0)
})
