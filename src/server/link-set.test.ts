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

test('LinkSet removes a link that is not preferred, and none that it does not have (P-075)', () => {
  const links = new LinkSet<string>()
  links.add('a')
  expect([links.remove('b'), links.size]).toEqual([false, 1])
  for (const name of ['b', 'c']) links.add(name)
  expect([links.remove('stranger'), links.remove('b'), links.size]).toEqual([false, true, 2])
  links.remove('a')
  expect([links.preferred, links.size]).toEqual(['c', 1])
})
