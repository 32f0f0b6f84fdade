import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { TALLY_INTERVAL_MS, type Tally, TallyLog } from './tally-log.ts'

test('TallyLog logs the first event at once, then counts per minute, and stops when nothing happens', () => {
  const clock = new FakeClock()
  const lines: [Tally, string][] = []
  const log = new TallyLog<string>(clock, (tally, example) => lines.push([tally, example]))
  log.note('a', 'first')
  expect(lines.splice(0)).toEqual([[{ a: 1 }, 'first']])
  for (let n = 0; n < 1_000; n++) log.note('a', `a${n}`)
  log.note('b', 'last')
  clock.advance(TALLY_INTERVAL_MS - 1)
  expect(lines).toEqual([])
  clock.advance(1)
  expect(lines.splice(0)).toEqual([[{ a: 1_000, b: 1 }, 'last']])
  clock.advance(10 * TALLY_INTERVAL_MS)
  expect([lines.length, clock.pendingTimers]).toEqual([0, 0])
  log.note('b', 'again')
  expect(lines).toEqual([[{ b: 1 }, 'again']])
})

test('TallyLog writes what is left when it ends, keeps no timer, and then logs nothing', () => {
  const clock = new FakeClock()
  const lines: Tally[] = []
  const log = new TallyLog<string>(clock, tally => lines.push(tally))
  for (const what of ['a', 'b', 'b']) log.note(what, '')
  log.end()
  log.note('c', '')
  expect([lines, clock.pendingTimers]).toEqual([[{ a: 1 }, { b: 2 }], 0])
})
