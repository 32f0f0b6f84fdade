import { expect, test } from 'vitest'
import { Histogram } from '../../metrics/histogram.ts'
import { QueueAge } from './queue-age.ts'

test('QueueAge averages with a weight of 0.1 for the newest packet (P-194)', () => {
  const age = new QueueAge(new Histogram([0, 10]))
  age.recordMany(1, 100)
  expect(age.averageMs).toBeCloseTo(10)
  age.recordMany(1, 0)
  expect(age.averageMs).toBeCloseTo(9)
})

test('QueueAge treats many packets of one age like single ones, each in the histogram (P-194)', () => {
  const [one, many] = [new Histogram([0, 10]), new Histogram([0, 10])]
  const [oneByOne, atOnce] = [new QueueAge(one), new QueueAge(many)]
  for (let n = 0; n < 5; n++) oneByOne.recordMany(1, 7)
  atOnce.recordMany(5, 7)
  atOnce.recordMany(0, 1_000)
  expect(atOnce.averageMs).toBeCloseTo(oneByOne.averageMs)
  expect(many.counts).toEqual([0, 5, 0])
  expect(many).toEqual(one)
})
