import { expect, test } from 'vitest'
import { NodePublicKey } from '../keys/node-key.ts'
import type { Member } from '../server/registry.ts'
import { LocalKeys } from './local-keys.ts'

const key = (n: number) => NodePublicKey.fromBytes(new Uint8Array(32).fill(n))
const connection = (n: number): Member => ({ key: key(n), remote: undefined, flags: 1 })

test('a key has the time of its newest remaining connection (P-304, P-307)', () => {
  const keys = new LocalKeys()
  const [first, second, third] = [connection(1), connection(1), connection(1)]
  keys.add(first, 10)
  expect(keys.get(key(1).bytes)?.time).toBe(10)
  keys.add(second, 20)
  keys.add(third, 30)
  expect([keys.get(key(1).bytes)?.time, keys.size]).toEqual([30, 1])
  expect(keys.remove(second)).toEqual({ before: 30, after: 30 })
  expect(keys.remove(third)).toEqual({ before: 30, after: 10 })
  expect(keys.remove(third)).toBeUndefined()
  expect(keys.remove(first)).toEqual({ before: 10, after: undefined })
  expect([keys.remove(first), keys.size, keys.get(key(1).bytes)]).toEqual([undefined, 0, undefined])
})

test('removing a connection that was never added has no effect', () => {
  const keys = new LocalKeys()
  keys.add(connection(1), 10)
  expect(keys.remove(connection(1))).toBeUndefined()
  expect(Array.from(keys, ([{ bytes }, { time }]) => [bytes[0], time])).toEqual([[1, 10]])
})

test('new times keep the order of logins (P-302)', () => {
  const keys = new LocalKeys()
  const [older, other, newer] = [connection(1), connection(2), connection(1)]
  keys.add(older, 10)
  keys.add(other, 20)
  keys.add(newer, 30)
  let time = 0
  keys.restamp(() => ++time)
  expect([keys.get(key(1).bytes)?.time, keys.get(key(2).bytes)?.time]).toEqual([3, 2])
  expect(keys.remove(newer)).toEqual({ before: 3, after: 1 })
})
