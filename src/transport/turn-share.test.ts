import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { TurnBudget, TurnGroup, TurnShare, turnShareOf } from './turn-share.ts'

test('TurnBudget is used up by pieces or bytes, and full again in the next turn', () => {
  const clock = new FakeClock({ turns: 'manual' })
  const share = new TurnShare(clock)
  const budget = new TurnBudget(share, { pieces: 3, bytes: 100 })
  expect([budget.charge(1, 10), budget.charge(1, 10), budget.charge(1, 10)]).toEqual([true, true, false])
  clock.runTurn()
  expect([budget.charge(1, 99), budget.charge(1, 1)]).toEqual([true, false])
  clock.runTurn()
  expect(budget.charge(1, 99)).toBe(true)
  budget.charge(9, 0)
  budget.renew()
  expect(budget.charge(1, 0)).toBe(true)
})

test('TurnShare resumes waiters in order in a later turn', () => {
  const clock = new FakeClock({ turns: 'manual' })
  const share = new TurnShare(clock)
  const done: string[] = []
  share.wait(() => {
    done.push('a')
    share.wait(() => done.push('c'))
  })
  share.wait(() => done.push('b'))
  expect([done, share.waiting]).toEqual([[], 2])
  clock.runTurn()
  expect([done, share.waiting]).toEqual([['a', 'b'], 1])
  clock.runTurn()
  expect(done).toEqual(['a', 'b', 'c'])
  expect(share.waiting).toBe(0)
})

test('TurnShare limits the share of each turn for waiters', () => {
  const clock = new FakeClock({ turns: 'manual' })
  const share = new TurnShare(clock)
  let done = 0
  const slow = () => {
    done++
    clock.advance(0.9)
  }
  for (let n = 0; n < 7; n++) share.wait(slow)
  const perTurn: number[] = []
  while (share.waiting > 0) {
    const before = done
    clock.runTurn()
    perTurn.push(done - before)
  }
  expect(perTurn).toEqual([3, 3, 1])
  for (let n = 0; n < 70; n++) share.wait(() => done++)
  clock.runTurn()
  expect(share.waiting).toBe(38)
})

test('turnShareOf is the same for all connections with one clock', () => {
  const clock = new FakeClock()
  expect(turnShareOf(clock)).toBe(turnShareOf(clock))
  expect(turnShareOf(new FakeClock())).not.toBe(turnShareOf(clock))
})

test('members of a TurnGroup share its budget and its place among those that wait', () => {
  const clock = new FakeClock({ turns: 'manual' })
  const share = new TurnShare(clock)
  const group = new TurnGroup(share, { pieces: 2, bytes: Number.POSITIVE_INFINITY })
  const done: string[] = []
  /** Handles pieces until it has to wait. */
  const handle = (name: string, pieces: number) => {
    if (pieces === 0) return
    done.push(name)
    if (group.charge()) handle(name, pieces - 1)
    else group.wait(() => handle(name, pieces - 1))
  }
  handle('a', 4)
  handle('b', 2)
  share.wait(() => done.push('other'))
  expect([done.join(' '), share.waiting]).toEqual(['a a b', 2])
  clock.runTurn()
  expect([done.join(' '), share.waiting]).toEqual(['a a b a a other', 1])
  clock.runTurn()
  expect([done.join(' '), share.waiting]).toEqual(['a a b a a other b', 0])
})
