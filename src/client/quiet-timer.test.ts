import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { QuietTimer } from './quiet-timer.ts'

function setUp() {
  const clock = new FakeClock()
  const quiet: number[] = []
  const timer = new QuietTimer(clock, 1000, () => quiet.push(clock.now()))
  timer.start()
  return { clock, timer, quiet }
}

test('QuietTimer fires once, not before the time (P-094)', () => {
  const { clock, quiet } = setUp()
  clock.advance(999)
  expect(quiet).toEqual([])
  clock.advance(5000)
  expect(quiet).toEqual([1000])
  expect(clock.pendingTimers).toBe(0)
})

test('QuietTimer counts from the last frame (P-094)', () => {
  const { clock, timer, quiet } = setUp()
  clock.advance(600)
  timer.touch()
  clock.advance(900)
  timer.touch()
  clock.advance(999)
  expect(quiet).toEqual([])
  clock.advance(1)
  expect(quiet).toEqual([2500])
})

test('QuietTimer does not fire while suspended, and restarts afterwards', () => {
  const { clock, timer, quiet } = setUp()
  timer.suspend()
  clock.advance(10_500)
  timer.resume()
  clock.advance(999)
  expect(quiet).toEqual([])
  clock.advance(1)
  expect(quiet).toEqual([11_500])
})

test('QuietTimer does not restart when resumed without having been suspended', () => {
  const { clock, timer, quiet } = setUp()
  clock.advance(500)
  timer.resume()
  clock.advance(500)
  expect(quiet).toEqual([1000])
})

test('QuietTimer cancelled leaves no timer', () => {
  const { clock, timer, quiet } = setUp()
  timer.cancel()
  expect(clock.pendingTimers).toBe(0)
  clock.advance(5000)
  expect(quiet).toEqual([])
})

test('QuietTimer started again after it fired fires again', () => {
  const { clock, timer, quiet } = setUp()
  clock.advance(1000)
  timer.start()
  clock.advance(400)
  timer.touch()
  clock.advance(1000)
  expect(quiet).toEqual([1000, 2400])
})
