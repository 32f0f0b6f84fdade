import { expect, test } from 'vitest'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { isMetaCertificate, readServerKey } from './meta-certificate.ts'

const KEY = NodePrivateKey.generate().publicKey()
const HEX = KEY.toHex()
const RELAY = { subject: 'CN=relay.test', serialNumber: '0123456789ABCDEF' }
const meta = (hex: string, serialNumber = '02') => ({ subject: `CN=derpkey${hex}`, serialNumber })

test('readServerKey finds the key of the first meta certificate, at any position (P-143)', () => {
  const other = meta('11'.repeat(32))
  expect(readServerKey([RELAY, meta(HEX), other])?.equals(KEY)).toBe(true)
  expect(readServerKey([meta(HEX.toUpperCase(), 'FF')])?.equals(KEY)).toBe(true)
  const named = { subject: `C=CA\nCN=derpkey${HEX}\nO=Somebody`, serialNumber: '2' }
  expect(readServerKey([named])?.equals(KEY)).toBe(true)
  expect(readServerKey([meta('zz'), meta(HEX, '0100'), meta(HEX)])?.equals(KEY)).toBe(true)
})

test.each([
  ['no certificates', []],
  ['no meta certificate', [RELAY]],
  ['a shorter key', [meta(HEX.slice(2))]],
  ['a longer key', [meta(`${HEX}00`)]],
  ['a serial number above 8 bits', [meta(HEX, '0100')]],
  ['a negative serial number', [meta(HEX, '-02')]],
  ['version zero', [meta(HEX, '00')]],
  ['the zero key', [meta('00'.repeat(32))]],
  ['a name that only contains the prefix', [{ subject: `CN=not-derpkey${HEX}`, serialNumber: '02' }]],
])('readServerKey finds none in %s (P-143)', (_what, certificates) => {
  expect(readServerKey(certificates)).toBeUndefined()
})

test('isMetaCertificate checks only the prefix, because pins do not count meta certificates (P-144)', () => {
  expect(isMetaCertificate(meta(HEX))).toBe(true)
  expect(isMetaCertificate(meta('anything'))).toBe(true)
  expect(isMetaCertificate(RELAY)).toBe(false)
})
