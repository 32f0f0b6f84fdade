import { expect, test } from 'vitest'
import { fc } from '../../../test/support/fast-check.ts'
import { Heap, type HeapEntry } from './heap.ts'

class Item implements HeapEntry<Item> {
  at = 0
  readonly rank: number
  constructor(rank: number) {
    this.rank = rank
  }
  isBefore(other: Item): boolean {
    return this.rank < other.rank
  }
}

test('Heap gives entries in order, whichever were added and removed', () => {
  const step = fc.record({ rank: fc.nat(50), removes: fc.option(fc.nat(20)) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), steps => {
      const heap = new Heap<Item>()
      const model: Item[] = []
      for (const { rank, removes } of steps) {
        const item = new Item(rank)
        heap.add(item)
        model.push(item)
        const [removed] = removes === null ? [] : model.splice(removes % model.length, 1)
        if (removed !== undefined) {
          heap.remove(removed)
          expect(removed.at).toBe(0)
        }
        expect(heap.size).toBe(model.length)
      }
      const ranks: number[] = []
      for (let first = heap.first; first !== undefined; first = heap.first) {
        heap.remove(first)
        ranks.push(first.rank)
      }
      expect(ranks).toEqual(model.map(({ rank }) => rank).toSorted((a, b) => a - b))
    }),
    { numRuns: 200, seed: 1 },
  )
})
