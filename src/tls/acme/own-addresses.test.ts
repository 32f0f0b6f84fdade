import { expect, test } from 'vitest'
import { canonicalAddress, isPublicAddress, publicAddresses } from './own-addresses.ts'

test.each([
  ['8.8.8.8', true],
  ['172.15.0.1', true],
  ['100.128.0.1', true],
  ['2606:4700::1', true],
  ['10.1.2.3', false],
  ['172.17.0.1', false],
  ['192.168.1.1', false],
  ['100.64.0.1', false],
  ['127.0.0.1', false],
  ['169.254.1.1', false],
  ['203.0.113.9', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['fe80::1', false],
  ['fd7a:115c:a1e0::1', false],
  ['2001:db8::1', false],
  ['2002:a00:1::', false],
  ['64:ff9b::808:808', false],
  ['relay.test', false],
])('isPublicAddress of %s is %j (P-148)', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected)
})

test('canonicalAddress is the form that authorities accept (P-148)', () => {
  const forms = ['2606:4700:0:0::0001', '::ffff:8.8.8.8', '8.8.8.8', '2606:4700::AB'].map(canonicalAddress)
  expect(forms).toEqual(['2606:4700::1', '8.8.8.8', '8.8.8.8', '2606:4700::ab'])
})

const interfaces = {
  lo: [{ address: '127.0.0.1' }, { address: '::1' }],
  eth0: [{ address: '2606:4700::1' }, { address: 'fe80::1' }, { address: '8.8.8.8' }, { address: '10.0.0.5' }],
  eth1: [{ address: '8.8.8.8' }, { address: '1.1.1.1' }],
  down: undefined,
}

test.each([
  [undefined, ['8.8.8.8', '1.1.1.1', '2606:4700::1']],
  ['', ['8.8.8.8', '1.1.1.1', '2606:4700::1']],
  ['0.0.0.0', ['8.8.8.8', '1.1.1.1', '2606:4700::1']],
  ['::', ['8.8.8.8', '1.1.1.1', '2606:4700::1']],
  ['relay.test', ['8.8.8.8', '1.1.1.1', '2606:4700::1']],
  ['1.1.1.1', ['1.1.1.1']],
  ['2606:4700:0::1', ['2606:4700::1']],
  ['10.0.0.5', []],
])('publicAddresses of a relay on %j are %j (P-148)', (host, expected) => {
  expect(publicAddresses(interfaces, host)).toEqual(expected)
})
