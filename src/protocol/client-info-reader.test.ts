import { expect, test } from 'vitest'
import { encodeUtf8 } from '../lib/bytes.ts'
import { formatClientInfo } from './client-info.ts'
import { ClientInfoReader } from './client-info-reader.ts'

const COMMON = formatClientInfo({ canAckPings: true, isProber: false })

test('identical ClientInfo is parsed once (P-033)', () => {
  const reader = new ClientInfoReader()
  const info = reader.read(COMMON)
  expect(info).toEqual({ version: 2, canAckPings: true, isProber: false })
  expect(reader.read(Uint8Array.from(COMMON))).toBe(info)
  expect(reader.read(formatClientInfo({ canAckPings: false, isProber: false }))).not.toBe(info)
})

test('a mesh key is not kept (P-074)', () => {
  const reader = new ClientInfoReader()
  const json = formatClientInfo({ canAckPings: false, isProber: false, meshKey: 'ab'.repeat(32) })
  expect(reader.read(json).meshKey).toBe('ab'.repeat(32))
  expect(reader.read(json)).not.toBe(reader.read(json))
  expect(reader.size).toBe(0)
})

test('the cache is bounded', () => {
  const reader = new ClientInfoReader()
  for (let i = 0; i < 1_000; i++) {
    reader.read(formatClientInfo({ canAckPings: false, isProber: false, appName: `a${i}` }))
  }
  expect(reader.size).toBeLessThanOrEqual(64)
})

test('texts of up to 256 bytes are cached, longer ones parsed each time', () => {
  const reader = new ClientInfoReader()
  const ofBytes = (bytes: number) => {
    const [before, after] = ['{"version":2,"x":"', '"}']
    return encodeUtf8(before + 'y'.repeat(bytes - before.length - after.length) + after)
  }
  expect(reader.read(ofBytes(256))).toBe(reader.read(ofBytes(256)))
  expect(reader.read(ofBytes(257)).version).toBe(2)
  expect(reader.read(ofBytes(257))).not.toBe(reader.read(ofBytes(257)))
})

test.each(['', '[]', '{"CanAckPings":1}'])('%s is rejected each time (P-033)', text => {
  const reader = new ClientInfoReader()
  for (let i = 0; i < 2; i++) expect(() => reader.read(encodeUtf8(text))).toThrow('parse ClientInfo')
})
