import { expect, test } from 'vitest'
import { NodePrivateKey } from '../keys/node-key.ts'
import { GoneSubscribers } from './gone-subscribers.ts'

const [A, B] = [NodePrivateKey.generate().publicKey(), NodePrivateKey.generate().publicKey()]

test('GoneSubscribers keeps nothing of pairs whose peer or member has left (P-062)', () => {
  const gone = new GoneSubscribers<string>()
  gone.add('one', A)
  gone.add('one', A)
  gone.add('two', A)
  gone.add('three', A)
  gone.add('one', B)
  expect(gone.pairs).toBe(4)
  expect([...gone.take(A)]).toEqual(['one', 'two', 'three'])
  expect([gone.pairs, gone.has(A.bytes, 0), gone.has(B.bytes, 0)]).toEqual([1, false, true])
  expect([...gone.take(A)]).toEqual([])
  gone.remove('one')
  gone.remove('two')
  expect([gone.pairs, gone.has(B.bytes, 0)]).toEqual([0, false])
})

test('GoneSubscribers adds no pair beyond its bound, and has room again when others have left (P-062)', () => {
  const gone = new GoneSubscribers<string>(2)
  for (const member of ['one', 'two', 'three']) gone.add(member, A)
  expect([...gone.take(A)]).toEqual(['one', 'two'])
  gone.add('three', B)
  expect([...gone.take(B)]).toEqual(['three'])
})

test('GoneSubscribers counts a member that has left only once (P-062)', () => {
  const gone = new GoneSubscribers<string>()
  gone.add('one', A)
  gone.add('two', A)
  gone.remove('one')
  gone.remove('one')
  expect([gone.pairs, ...gone.take(A)]).toEqual([1, 'two'])
})
