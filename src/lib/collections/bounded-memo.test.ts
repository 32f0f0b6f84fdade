import { expect, test } from 'vitest'
import { BoundedMemo } from './bounded-memo.ts'

test('BoundedMemo returns stored values, and is cleared when full', () => {
  const memo = new BoundedMemo<number>(2)
  memo.set('a', 1)
  memo.set('b', 2)
  expect([memo.get('a'), memo.get('b'), memo.get('c'), memo.size]).toEqual([1, 2, undefined, 2])
  memo.set('c', 3)
  expect([memo.get('a'), memo.get('b'), memo.get('c'), memo.size]).toEqual([undefined, undefined, 3, 1])
})
