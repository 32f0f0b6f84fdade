import { expect, test } from 'vitest'
import { parseMeshWith } from './mesh-target.ts'

test('parseMeshWith reads hosts, ports and hosts to dial (P-078)', () => {
  const text = 'a.example, b.example:8443,c.example/10.0.0.3,d.example:8443/d.internal.,e.example/[2001:db8::5],f/f'
  const targets = parseMeshWith(text).map(({ host, url, dialHost }) => [host, url.href, dialHost])
  expect(targets).toEqual([
    ['a.example', 'https://a.example/derp', undefined],
    ['b.example:8443', 'https://b.example:8443/derp', undefined],
    ['c.example', 'https://c.example/derp', '10.0.0.3'],
    ['d.example:8443', 'https://d.example:8443/derp', 'd.internal.'],
    ['e.example', 'https://e.example/derp', '2001:db8::5'],
    ['f', 'https://f/derp', undefined],
  ])
})

test.each([
  ['', 'not a host'],
  ['a.example,', 'not a host'],
  ['a/b/c', 'has more than one slash'],
  ['a b', 'not a host'],
  ['a.example:99999', 'not a host'],
  ['user@a.example', 'not a host'],
  ['a.example?x', 'not a host'],
  ['a.example/10.0.0.3:8443', 'expected a host name or address after the slash; a port belongs before it'],
  ['a.example/', 'expected a host name or address after the slash; a port belongs before it'],
])('parseMeshWith refuses "%s" (P-078)', (text, reason) => {
  expect(() => parseMeshWith(text)).toThrow(reason)
})
