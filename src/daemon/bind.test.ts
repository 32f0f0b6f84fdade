import { expect, test } from 'vitest'
import { assertPortsDiffer, type WantedPort } from './bind.ts'
import { parseListenAddress } from './listen-address.ts'

/** What is said of these, each a flag and its address, the last of them over UDP. */
function judge(one: string, other: string, protocol: WantedPort['protocol'] = 'tcp'): string | undefined {
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
  expect(judge(one, other)).toBe(`listen on -metrics-addr ${other}: -a has that port; choose another for one`)
})

test.each([
  [':443', ':444'],
  ['127.0.0.1:443', '127.0.0.2:443'],
  ['0.0.0.0:443', '[::1]:443'],
  [':0', ':0'],
])('assertPortsDiffer takes %s and %s', (one, other) => {
  expect(judge(one, other)).toBeUndefined()
  expect(judge(':443', ':443', 'udp')).toBeUndefined()
})
