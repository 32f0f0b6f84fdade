import { expect, test } from 'vitest'
import { LinkSet } from './link-set.ts'

test('LinkSet prefers the oldest link (P-075)', () => {
  const links = new LinkSet<string>()
  expect([links.preferred, links.size]).toEqual([undefined, 0])
  expect(['a', 'b', 'c', 'b'].map(name => links.add(name))).toEqual([true, true, true, false])
  expect([links.preferred, links.size]).toEqual(['a', 3])
  expect(['a', 'a'].map(name => links.remove(name))).toEqual([true, false])
  expect([links.preferred, links.size]).toEqual(['b', 2])
  links.add('a')
  links.remove('b')
  expect(links.preferred).toBe('c')
})
