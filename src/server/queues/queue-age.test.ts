import { expect, test } from 'vitest'
import { Histogram } from '../../metrics/histogram.ts'
import { QueueAge } from './queue-age.ts'

test('QueueAge averages with a weight of a tenth for the newest packet (P-194)', () => {
  const age = new QueueAge(new Histogram([0, 10]))
  age.recordMany(1, 100)
  expect(age.averageMs).toBeCloseTo(10)
  age.recordMany(1, 0)
  expect(age.averageMs).toBeCloseTo(9)
})

test('QueueAge takes many packets of one age as if they came one by one, each into its histogram (P-194)', () => {
  const [one, many] = [new Histogram([0, 10]), new Histogram([0, 10])]
  const [oneByOne, atOnce] = [new QueueAge(one), new QueueAge(many)]
  for (let n = 0; n < 5; n++) oneByOne.recordMany(1, 7)
  atOnce.recordMany(5, 7)
  atOnce.recordMany(0, 1_000)
  expect(atOnce.averageMs).toBeCloseTo(oneByOne.averageMs)
  expect(many.counts).toEqual([0, 5, 0])
  expect(many).toEqual(one)
})
