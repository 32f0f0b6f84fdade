import { expect, test } from 'vitest'
import { fc } from '../../test/support/fast-check.ts'
import { fingerprint } from './attributes.ts'
import type { StunAddress } from './mapped-address.ts'
import {
  createTxId,
  encodeBindingRequest,
  encodeBindingResponse,
  isStun,
  parseBindingRequest,
  parseBindingResponse,
} from './message.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
const text = (value: string) => new TextEncoder().encode(value)

const txId = Uint8Array.from({ length: 12 }, (_, i) => i + 1)
const mapped = fromHex('00000000000000000000ffff7f000001')

type Attribute = readonly [type: number, value: Uint8Array]

/** A message with arbitrary attributes; `lengthField` overrides the length in the header. */
function build(type: number, attributes: readonly Attribute[], lengthField?: number): Uint8Array {
  const list = attributes.flatMap(([attribute, value]) => {
    const padded = new Uint8Array((value.length + 3) & ~3)
    padded.set(value)
    return [attribute >> 8, attribute & 255, value.length >> 8, value.length & 255, ...padded]
  })
  const length = lengthField ?? list.length
  return Uint8Array.from([type >> 8, type & 255, length >> 8, length & 255, 0x21, 0x12, 0xa4, 0x42, ...txId, ...list])
}

/** A request with these attributes followed by a correct fingerprint. */
function buildRequest(attributes: readonly Attribute[]): Uint8Array {
  const message = build(0x0001, [...attributes, [0x8028, new Uint8Array(4)]])
  new DataView(message.buffer).setUint32(message.length - 4, fingerprint(message, message.length - 8))
  return message
}

const software: Attribute = [0x8022, text('tailnode')]

/** Result or reason, short enough for a table. */
const verdict = (bytes: Uint8Array) => {
  const result = parseBindingRequest(bytes)
  return result.ok ? 'ok' : result.failure
}

const seen = (bytes: Uint8Array) => {
  const result = parseBindingResponse(bytes)
  return result.ok ? `${hex(result.address.bytes)} ${result.address.port}` : result.failure
}

test('encodeBindingRequest produces the bytes of net/stun Request (P-182)', () => {
  expect(hex(encodeBindingRequest(txId))).toBe(
    '000100142112a4420102030405060708090a0b0c802200087461696c6e6f646580280004b32c370f',
  )
  expect(() => encodeBindingRequest(new Uint8Array(11))).toThrow(RangeError)
})

test.each<[string, StunAddress, string]>([
  [
    'IPv4',
    { family: 4, bytes: Uint8Array.of(1, 2, 3, 4), port: 254 },
    '0101000c2112a4420102030405060708090a0b0c00200008000121ec2010a746',
  ],
  [
    'IPv6',
    { family: 6, bytes: fromHex('20010db8000000000000000000000007'), port: 40000 },
    '010100182112a4420102030405060708090a0b0c002000140002bd520113a9fa0102030405060708090a0b0b',
  ],
  [
    'IPv4-mapped IPv6',
    { family: 6, bytes: mapped, port: 61300 },
    '010100182112a4420102030405060708090a0b0c002000140002ce662112a442010203040506f8f7760a0b0d',
  ],
])('encodeBindingResponse gives the bytes of net/stun Response for %s (P-181)', (_, address, bytes) => {
  expect(hex(encodeBindingResponse(txId, address))).toBe(bytes)
})

test('encodeBindingResponse rejects an address whose length does not match its family', () => {
  expect(() => encodeBindingResponse(txId, { family: 4, bytes: mapped, port: 1 })).toThrow(RangeError)
  expect(() => encodeBindingResponse(txId, { family: 6, bytes: new Uint8Array(4), port: 1 })).toThrow(RangeError)
})

test('parseBindingRequest reads the transaction id, as a copy (P-180)', () => {
  const request = Buffer.from(encodeBindingRequest(txId))
  const result = parseBindingRequest(request)
  request.fill(0)
  expect(result).toEqual({ ok: true, txId })
})

test('parseBindingRequest rejects a request with any one byte changed (P-180)', () => {
  const request = encodeBindingRequest(txId)
  for (let i = 0; i < request.length; i++) {
    const changed = Uint8Array.from(request)
    changed[i] = (changed[i] as number) ^ 0x01
    expect(parseBindingRequest(changed).ok).toBe(false)
  }
})

test.each<[string, string, Uint8Array]>([
  ['nothing', 'notStun', new Uint8Array(0)],
  ['one byte less than a header', 'notStun', encodeBindingRequest(txId).subarray(0, 19)],
  ['another magic cookie', 'notStun', fromHex('000100002112a44301020304050607080910111213')],
  ['a leading bit set', 'notStun', fromHex('800100002112a4420102030405060708091011')],
  ['a binding indication', 'notBindingRequest', build(0x0011, [software])],
  ['a response', 'notBindingRequest', build(0x0101, [software])],
  ['three bytes of attribute', 'malformedAttributes', Uint8Array.of(...build(1, [software]), 0, 0, 0)],
  ['an attribute past the end', 'malformedAttributes', Uint8Array.of(...build(1, [software]), 0x80, 0x28, 0, 4, 1, 2)],
  ['padding past the end', 'malformedAttributes', Uint8Array.of(...build(1, [software]), 0x80, 0x28, 0, 3, 1, 2, 3)],
  ['no attributes', 'wrongSoftware', build(1, [])],
  ['other software', 'wrongSoftware', buildRequest([[0x8022, text('tailnodes')]])],
  ['shorter software', 'wrongSoftware', buildRequest([[0x8022, text('tailnod')]])],
  ['software padded with spaces', 'wrongSoftware', buildRequest([[0x8022, text('tailnode ')]])],
  ['no fingerprint', 'noFingerprint', build(1, [software])],
  ['an attribute behind the fingerprint', 'noFingerprint', Uint8Array.of(...buildRequest([software]), 0, 6, 0, 0)],
  ['a wrong fingerprint', 'wrongFingerprint', build(1, [software, [0x8028, Uint8Array.of(1, 2, 3, 4)]])],
  ['a fingerprint of no bytes', 'wrongFingerprint', build(1, [software, [0x8028, new Uint8Array(0)]])],
])('parseBindingRequest refuses %s: %s (P-180)', (_, failure, bytes) => {
  expect(verdict(bytes)).toBe(failure)
})

test('parseBindingRequest accepts what the original does beyond our own requests (P-180)', () => {
  expect(verdict(buildRequest([[0x0006, text('user')], software]))).toBe('ok')
  expect(verdict(buildRequest([software, [0x8022, text('other')]]))).toBe('ok')
  expect(verdict(buildRequest([software, [0x8028, Uint8Array.of(9, 9, 9, 9)]]))).toBe('ok')
  const wrongLength = build(1, [software, [0x8028, new Uint8Array(4)]], 9999)
  new DataView(wrongLength.buffer).setUint32(wrongLength.length - 4, fingerprint(wrongLength, wrongLength.length - 8))
  expect(verdict(wrongLength)).toBe('ok')
})

// RFC 5769 sections 2.2 and 2.3.
const rfcResponse4 = fromHex(`0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
  00200008 0001a147 e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96`)
const rfcResponse6 = fromHex(`01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220
  00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
  00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c`)

test('fingerprint matches the values of RFC 5769', () => {
  expect(fingerprint(rfcResponse4, rfcResponse4.length - 8)).toBe(0xc07d4c96)
  expect(fingerprint(rfcResponse6, rfcResponse6.length - 8)).toBe(0xc8fb0b4c)
})

test('parseBindingResponse reads the responses of RFC 5769 (P-182)', () => {
  expect(parseBindingResponse(rfcResponse4)).toEqual({
    ok: true,
    txId: fromHex('b7e7a701bc34d686fa87dfae'),
    address: { family: 4, bytes: Uint8Array.of(192, 0, 2, 1), port: 32853 },
  })
  expect(seen(rfcResponse6)).toBe('20010db8123456780011223344556677 32853')
})

const clear4: Attribute = [0x0001, fromHex('0001 1f90 0a000001')]
const masked4: Attribute = [0x0020, fromHex('0001 21ec 2010a746')]
const draft4: Attribute = [0x8020, fromHex('0001 21ef 2010a746')]
const maskedMapped: Attribute = [0x0020, fromHex('0002 ce66 2112a442010203040506f8f7760a0b0d')]
const clearMapped: Attribute = [0x0001, fromHex('0002 1f90 00000000000000000000ffff0a000001')]

test.each<[string, string, Uint8Array]>([
  ['takes MAPPED-ADDRESS when there is no other', '0a000001 8080', build(0x0101, [clear4])],
  ['prefers XOR-MAPPED-ADDRESS in front', '01020304 254', build(0x0101, [masked4, clear4])],
  ['prefers XOR-MAPPED-ADDRESS behind', '01020304 254', build(0x0101, [clear4, masked4])],
  ['knows the type of a draft, and lets the last one count', '01020304 253', build(0x0101, [masked4, draft4])],
  ['unmaps IPv4 from IPv6', '7f000001 61300', build(0x0101, [maskedMapped])],
  ['unmaps a clear address too', '0a000001 8080', build(0x0101, [clearMapped])],
  ['ignores bytes behind the length', '01020304 254', Uint8Array.of(...build(0x0101, [masked4]), 1, 2, 3)],
  ['ignores attributes behind the length', '0a000001 8080', build(0x0101, [clear4, masked4], 12)],
  ['ignores bytes behind the address', '0a000001 80', build(0x0101, [[1, fromHex('0001 0050 0a000001 ffff')]])],
])('parseBindingResponse %s (P-182)', (_, expected, bytes) => {
  expect(seen(bytes)).toBe(expected)
})

test.each<[string, string, Uint8Array]>([
  ['no STUN', 'notStun', text('HTTP/1.1 200 OK\r\n\r\nhello')],
  ['a request', 'notSuccessResponse', encodeBindingRequest(txId)],
  ['an error response', 'notSuccessResponse', build(0x0111, [clear4])],
  ['a length past the end', 'malformedAttributes', build(0x0101, [masked4], 13)],
  ['no address', 'malformedAttributes', build(0x0101, [software])],
  ['an unknown family', 'malformedAttributes', build(0x0101, [[0x0020, fromHex('0003 1f90 0a000001')]])],
  ['an address of three bytes', 'malformedAttributes', build(0x0101, [[0x0020, fromHex('0001 1f90 0a0000')]])],
  ['a value of three bytes', 'malformedAttributes', build(0x0101, [[0x0001, fromHex('00011f')]])],
  ['a bad address beside a good one', 'malformedAttributes', build(0x0101, [masked4, [0x0001, fromHex('0009')]])],
  ['a cut attribute behind a good one', 'malformedAttributes', build(0x0101, [masked4, [0x0001, text('abcd')]], 18)],
])('parseBindingResponse refuses %s: %s (P-182)', (_, failure, bytes) => {
  expect(seen(bytes)).toBe(failure)
})

test('parseBindingResponse reads what encodeBindingResponse wrote, IPv4-mapped as IPv4 (P-182)', () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map(bytes => ({ family: 4 as const, bytes })),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => ({ family: 6 as const, bytes })),
  )
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 65535 }), ({ family, bytes }, port) => {
      const id = createTxId()
      expect(parseBindingResponse(encodeBindingResponse(id, { family, bytes, port }))).toEqual({
        ok: true,
        txId: id,
        address: { family, bytes, port },
      })
    }),
  )
})

test('parsers return a result for any bytes after a STUN header (P-180, P-182)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(0x0001, 0x0101), (rest, type) => {
      const bytes = Uint8Array.of(...build(type, [], rest.length), ...rest)
      expect(isStun(bytes)).toBe(true)
      expect([parseBindingRequest(bytes).ok, parseBindingResponse(bytes).ok]).not.toEqual([true, true])
    }),
    { numRuns: 500 },
  )
})

test('isStun checks only length, two bits and the cookie', () => {
  const header = build(0x3fff, [], 77)
  expect(isStun(header)).toBe(true)
  expect(isStun(header.subarray(0, 19))).toBe(false)
  for (const top of [0x40, 0x80, 0xc0]) expect(isStun(Uint8Array.of(top, ...header.subarray(1)))).toBe(false)
  for (const at of [4, 5, 6, 7]) expect(isStun(header.map((byte, i) => (i === at ? byte ^ 1 : byte)))).toBe(false)
})

test('createTxId returns 12 bytes, different each time', () => {
  const ids = new Set(Array.from({ length: 16 }, () => hex(createTxId())))
  expect(ids.size).toBe(16)
  expect([...ids].every(id => id.length === 24)).toBe(true)
})
