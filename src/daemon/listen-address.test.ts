import { expect, test } from 'vitest'
import { formatListenAddress, parseListenAddress } from './listen-address.ts'

test.each([
  [':443', { host: undefined, port: 443 }],
  ['127.0.0.1:3340', { host: '127.0.0.1', port: 3340 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['localhost:https', { host: 'localhost', port: 443 }],
])('parseListenAddress reads %s', (text, address) => {
  expect(parseListenAddress('a', text)).toEqual(address)
})

test('formatListenAddress writes what parseListenAddress reads', () => {
  for (const text of [':443', '127.0.0.1:3340', '[::1]:80']) {
    expect(formatListenAddress(parseListenAddress('a', text))).toBe(text)
  }
})

test.each(['443', 'a:b', '::1:80', '[127.0.0.1]:80', ':70000', ''])('parseListenAddress refuses "%s"', text => {
  expect(() => parseListenAddress('a', text)).toThrow(`set flag -a to "${text}": `)
})
