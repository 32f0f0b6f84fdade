import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { TurnFlush } from './turn-flush.ts'

test('TurnFlush flushes links before writers, once a turn, and then reports it', () => {
  const clock = new FakeClock({ turns: 'manual' })
  const done: string[] = []
  const turn = new TurnFlush(clock, () => done.push('all'))
  for (let n = 0; n < 2; n++) {
    for (const name of ['a', 'b']) turn.add({ endTurn: () => done.push(`writer ${name}`) })
    for (const name of ['c', 'd']) turn.addFirst({ flush: () => done.push(`link ${name}`) })
    expect(done).toEqual([])
    clock.runTurn()
    expect(done.splice(0)).toEqual(['link c', 'link d', 'writer a', 'writer b', 'all'])
  }
  clock.runTurn()
  expect(done).toEqual([])
})

test('TurnFlush flushes what is added meanwhile at the end of the next turn', () => {
  const clock = new FakeClock({ turns: 'manual' })
  const done: string[] = []
  const turn = new TurnFlush(clock, () => done.push('all'))
  turn.add({ endTurn: () => turn.addFirst({ flush: () => done.push('late link') }) })
  clock.runTurn()
  expect(done).toEqual(['all'])
  clock.runTurn()
  expect(done).toEqual(['all', 'late link', 'all'])
})
