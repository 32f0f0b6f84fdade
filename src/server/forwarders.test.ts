import { expect, test } from 'vitest'
import { Forwarders } from './forwarders.ts'

test('Forwarders prefers the one known longest (P-075)', () => {
  const forwarders = new Forwarders<string>()
  expect([forwarders.preferred, forwarders.size]).toEqual([undefined, 0])
  expect(['a', 'b', 'c', 'b'].map(name => forwarders.add(name))).toEqual([true, true, true, false])
  expect([forwarders.preferred, forwarders.size]).toEqual(['a', 3])
  expect(['a', 'a'].map(name => forwarders.remove(name))).toEqual([true, false])
  expect([forwarders.preferred, forwarders.size]).toEqual(['b', 2])
  forwarders.add('a')
  forwarders.remove('b')
  expect(forwarders.preferred).toBe('c')
})
