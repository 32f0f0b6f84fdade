import { crc32 as zlibCrc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { crc32 } from './crc32.ts'

test('crc32 matches the published check value', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
})

test('crc32 matches zlib for whole inputs and prefixes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, cut) => {
      const length = cut % (bytes.length + 1)
      expect(crc32(bytes)).toBe(zlibCrc32(bytes))
      expect(crc32(bytes, length)).toBe(zlibCrc32(bytes.subarray(0, length)))
    }),
  )
})
