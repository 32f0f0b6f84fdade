import { expect, test } from 'vitest'
import { assertPortsDiffer, bindReason, type WantedPort } from './bind.ts'
import { parseListenAddress } from './listen-address.ts'

/** The error for these two addresses; the second may be UDP. */
function errorFor(one: string, other: string, protocol: WantedPort['protocol'] = 'tcp'): string | undefined {
  const wanted: WantedPort[] = [
    { ...parseListenAddress('a', one), flag: 'a', protocol: 'tcp' },
    { ...parseListenAddress('metrics-addr', other), flag: 'metrics-addr', protocol },
  ]
  try {
    assertPortsDiffer(wanted)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

test.each([
  [':443', ':443'],
  [':443', '127.0.0.1:443'],
  ['[::1]:443', '[::]:443'],
  ['127.0.0.1:443', '0.0.0.0:443'],
  ['127.0.0.1:443', '127.0.0.1:443'],
])('assertPortsDiffer refuses %s and %s', (one, other) => {
  expect(errorFor(one, other)).toBe(
    `listen on -metrics-addr ${other}: already used by -a; choose another port for one of them`,
  )
})

test.each([
  [':443', ':444'],
  ['127.0.0.1:443', '127.0.0.2:443'],
  ['0.0.0.0:443', '[::1]:443'],
  [':0', ':0'],
])('assertPortsDiffer accepts %s and %s', (one, other) => {
  expect(errorFor(one, other)).toBeUndefined()
  expect(errorFor(':443', ':443', 'udp')).toBeUndefined()
})

test.each([
  ['Node', Object.assign(new Error('getaddrinfo ENOTFOUND foo'), { code: 'ENOTFOUND' })],
  ['Bun', new Error('Failed to listen at foo')],
])('bindReason says of a name that %s cannot resolve what fixes it', (_runtime, error) => {
  expect(bindReason(error)).toBe('name not found; choose an address of this host')
})
