import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { until } from '../../test/support/settle.ts'
import { Histogram } from '../metrics/histogram.ts'
import { DELAY_INTERVAL_MS, EventLoopDelay } from './event-loop-delay.ts'

function fakeMonitor() {
  return {
    max: 0,
    isEnabled: false,
    enable() {
      this.isEnabled = true
    },
    disable() {
      this.isEnabled = false
    },
    reset() {
      this.max = 0
    },
  }
}

test('EventLoopDelay records the longest delay of each interval, excluding the monitor’s own tick', () => {
  const [histogram, clock, monitor] = [new Histogram([0, 50, 100]), new FakeClock(), fakeMonitor()]
  const delay = new EventLoopDelay(histogram, clock, monitor)
  delay.start()
  delay.start()
  expect(monitor.isEnabled).toBe(true)
  monitor.max = 110e6
  clock.advance(DELAY_INTERVAL_MS)
  clock.advance(DELAY_INTERVAL_MS)
  monitor.max = 70e6
  clock.advance(DELAY_INTERVAL_MS)
  expect(histogram.counts).toEqual([1, 0, 2, 0])
  expect(histogram.sum).toBe(160)
  delay.stop()
  delay.stop()
  expect(monitor.isEnabled).toBe(false)
  clock.advance(10 * DELAY_INTERVAL_MS)
  expect(histogram.count).toBe(3)
})

test('EventLoopDelay notices a loop that is really blocked', async () => {
  const [histogram, clock] = [new Histogram([20]), new FakeClock()]
  const delay = new EventLoopDelay(histogram, clock)
  delay.start()
  try {
    // The monitor misses anything before its first tick, so keep blocking until it has noticed.
    await until(() => {
      const endMs = performance.now() + 60
      while (performance.now() < endMs);
      clock.advance(DELAY_INTERVAL_MS / 2)
      return (histogram.counts[1] ?? 0) > 0
    }, 'a delay is recorded')
    expect(histogram.sum).toBeGreaterThan(20)
  } finally {
    delay.stop()
  }
})
