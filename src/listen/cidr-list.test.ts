import { expect, test } from 'vitest'
import { CidrList } from './cidr-list.ts'

test('CidrList matches addresses and blocks of either family, and IPv4-mapped addresses', () => {
  const list = new CidrList(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', 'fe80::/10'])
  for (const inside of ['10.255.0.1', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8::9', 'fe80::1%eth0']) {
    expect(list.includes(inside), inside).toBe(true)
  }
  for (const outside of ['11.0.0.1', '192.0.2.8', '2001:db9::', '::1', 'localhost', '']) {
    expect(list.includes(outside), outside).toBe(false)
  }
  expect(new CidrList([]).includes('127.0.0.1')).toBe(false)
})

test('CidrList takes a block of a single address of either family', () => {
  const list = new CidrList(['192.0.2.7/32', '2001:db8::7/128'])
  const listed = ['192.0.2.7', '192.0.2.6', '2001:db8::7', '2001:db8::6'].map(address => list.includes(address))
  expect(listed).toEqual([true, false, true, false])
})

test.each([
  '10.0.0.0/33',
  '2001:db8::/129',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '8/10.0.0.0/8',
  '10.0.0/8',
  'localhost',
  '',
  ' 10.0.0.1',
])('CidrList refuses "%s" and shows a valid entry', entry => {
  expect(() => new CidrList(['127.0.0.1', entry])).toThrow(
    `read list of addresses: "${entry}" is neither an IP address nor a block such as 10.0.0.0/8 or 2001:db8::/32`,
  )
})
