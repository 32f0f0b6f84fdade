import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { BEAT_MS, MAX_MISSED_BEATS, Watchdog } from './watchdog.ts'

function watched() {
  const clock = new FakeClock()
  const asked: (() => void)[] = []
  let hangs = 0
  const watchdog = new Watchdog(clock, { whenHandled: fn => void asked.push(fn) }, () => void hangs++)
  watchdog.start()
  return { clock, asked, watchdog, hangs: () => hangs }
}

test('Watchdog reports a worker that misses ten beats in a row, once', () => {
  const { clock, asked, hangs } = watched()
  clock.advance(BEAT_MS * MAX_MISSED_BEATS)
  expect([asked.length, hangs()]).toEqual([1, 0])
  clock.advance(BEAT_MS)
  expect(hangs()).toBe(1)
  clock.advance(100 * BEAT_MS)
  expect([asked.length, hangs(), clock.pendingTimers]).toEqual([1, 1, 0])
})

test('Watchdog bears with a slow worker as long as it answers, and asks nothing once stopped', () => {
  const { clock, asked, hangs, watchdog } = watched()
  for (let round = 0; round < 5; round++) {
    clock.advance(BEAT_MS * MAX_MISSED_BEATS)
    asked.at(-1)?.()
  }
  expect([asked.length, hangs()]).toEqual([5, 0])
  watchdog.stop()
  clock.advance(100 * BEAT_MS)
  expect([asked.length, hangs()]).toEqual([5, 0])
})
