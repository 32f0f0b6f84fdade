import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { LastAccepts } from './last-accepts.ts'

function setUp() {
  const clock = new FakeClock({ turns: 'manual' })
  let closed = 0
  const last = new LastAccepts(clock, () => closed++)
  return { clock, last, closed: () => closed }
}

test('LastAccepts closes after the first whole turn without a connection (P-177)', () => {
  const { clock, last, closed } = setUp()
  last.accepted()
  last.finish()
  // Of this turn only a part is seen.
  clock.runTurn()
  last.accepted()
  clock.runTurn()
  last.accepted()
  last.finish()
  clock.runTurn()
  expect(closed()).toBe(0)
  clock.runTurn()
  expect(closed()).toBe(1)
  clock.runTurn()
  expect(closed()).toBe(1)
})

test('LastAccepts closes in any case after a thousand turns (P-177)', () => {
  const { clock, last, closed } = setUp()
  last.finish()
  for (let turn = 0; turn < 1_000; turn++) {
    expect(closed()).toBe(0)
    clock.runTurn()
    last.accepted()
  }
  expect(closed()).toBe(1)
})
