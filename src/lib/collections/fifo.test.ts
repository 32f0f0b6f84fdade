import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { Fifo } from './fifo.ts'

test('Fifo returns items in order', () => {
  const fifo = new Fifo<number>()
  expect([fifo.length, fifo.take(), fifo.at(0)]).toEqual([0, undefined, undefined])
  for (let n = 0; n < 20; n++) fifo.push(n)
  expect([fifo.length, fifo.at(0), fifo.at(19), fifo.at(20)]).toEqual([20, 0, 19, undefined])
  expect(Array.from({ length: 21 }, () => fifo.take())).toEqual([...Array(20).keys(), undefined])
})

test('Fifo inserts at the front, also of an empty or full queue', () => {
  const fifo = new Fifo<string>()
  fifo.pushFirst('b')
  for (const item of ['c', 'd', 'e', 'f', 'g', 'h', 'i']) fifo.push(item)
  fifo.pushFirst('a')
  expect(Array.from({ length: fifo.length }, () => fifo.take()).join('')).toBe('abcdefghi')
})

test('Fifo equals an array under random operations', () => {
  const step = fc.constantFrom('push', 'push', 'pushFirst', 'take')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const fifo = new Fifo<number>()
      const model: number[] = []
      for (const [n, name] of steps.entries()) {
        if (name === 'push') model.push(n)
        if (name === 'pushFirst') model.unshift(n)
        if (name === 'take') expect(fifo.take()).toBe(model.shift())
        else fifo[name](n)
        expect([fifo.length, fifo.at(0), fifo.at(model.length - 1)]).toEqual([model.length, model[0], model.at(-1)])
      }
    }),
    { numRuns: 100, seed: 1 },
  )
})
