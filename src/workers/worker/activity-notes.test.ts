import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { ActivityNotes } from './activity-notes.ts'

function notes() {
  const clock = new FakeClock({ turns: 'manual' })
  const told: (readonly number[])[] = []
  let answer = Promise.withResolvers<void>()
  const tell = (ids: readonly number[]) => {
    told.push(ids)
    return answer.promise
  }
  const known = async () => {
    answer.resolve()
    answer = Promise.withResolvers()
    await settle(1)
  }
  return { clock, told, known, notes: new ActivityNotes(clock, tell) }
}

test('ActivityNotes reports each session once per turn, batched, in the order of their latest frames', async () => {
  const { clock, told, known, notes: activity } = notes()
  const done: string[] = []
  for (const id of [1, 2, 1, 3, 2]) void activity.note(id).then(() => done.push(`${id}`))
  expect(told).toEqual([])
  clock.runTurn()
  expect(told).toEqual([[1, 3, 2]])
  void activity.note(4)
  await settle(1)
  expect(done).toEqual([])
  await known()
  expect(done).toEqual(['1', '2', '1', '3', '2'])
  clock.runTurn()
  expect(told).toEqual([[1, 3, 2], [4]])
})

test('ActivityNotes drops closed sessions', async () => {
  const { clock, told, notes: activity } = notes()
  void activity.note(1)
  void activity.note(2)
  activity.drop(1)
  clock.runTurn()
  expect(told).toEqual([[2]])
  const only = activity.note(3)
  activity.drop(3)
  clock.runTurn()
  await only
  expect(told).toEqual([[2]])
})
