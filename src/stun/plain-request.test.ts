import { expect, test } from 'vitest'
import { allocateMessage, fingerprint } from './attributes.ts'
import { encodeBindingRequest } from './message.ts'
import { encodeUnknownAttributes, parsePlainRequest } from './plain-request.ts'

const txId = Uint8Array.from({ length: 12 }, (_, i) => i + 1)

/** A binding request with these attributes; with `sign`, a FINGERPRINT follows them. */
function requestWith(attributesHex: string, sign = false): Uint8Array {
  const attributes = Buffer.from(attributesHex, 'hex')
  const message = allocateMessage(1, txId, attributes.length + (sign ? 8 : 0))
  message.set(attributes, 20)
  if (sign) {
    const at = 20 + attributes.length
    const view = new DataView(message.buffer)
    view.setUint32(at, 0x80280004)
    view.setUint32(at + 4, fingerprint(message, at))
  }
  return message
}

const softwareOfAnother = '80220005' + '7465737431000000'

test.each([
  ['without attributes', requestWith('')],
  ['with SOFTWARE of another client', requestWith(softwareOfAnother)],
  ['with FINGERPRINT', requestWith(softwareOfAnother, true)],
  ['with unknown attributes that may be skipped', requestWith('c001000412345678')],
  ['with attributes that say who asks', requestWith('0006000461626364')],
  ['of a node', encodeBindingRequest(txId)],
])('parsePlainRequest accepts a request %s (P-184)', (_, bytes) => {
  expect(parsePlainRequest(bytes)).toEqual({ ok: true, txId })
})

test('parsePlainRequest rejects FINGERPRINT unless it is last, four bytes long and correct (P-184)', () => {
  const signed = requestWith(softwareOfAnother, true)
  const changed = Uint8Array.from(signed)
  changed[31] = 1
  const notLast = requestWith(`${Buffer.from(signed.subarray(20)).toString('hex')}c0010000`)
  const tooShort = requestWith('8028000000000000')
  for (const bytes of [changed, notLast, tooShort]) {
    expect(parsePlainRequest(bytes)).toEqual({ ok: false, failure: 'wrongFingerprint' })
  }
})

test('parsePlainRequest lists unknown comprehension-required attributes, at most two (P-184)', () => {
  expect(parsePlainRequest(requestWith('0003000400000006'))).toMatchObject({ ok: false, unknown: [3] })
  const many = requestWith('00030000' + '7ffe0000' + '80220000' + '00240000')
  expect(parsePlainRequest(many)).toEqual({ ok: false, failure: 'unknownAttributes', txId, unknown: [3, 0x7ffe] })
})

test('parsePlainRequest checks the header’s length (P-184)', () => {
  for (const length of [0, 4, 12]) {
    const bytes = requestWith('c001000412345678')
    new DataView(bytes.buffer).setUint16(2, length)
    expect(parsePlainRequest(bytes)).toEqual({ ok: false, failure: 'wrongLength' })
  }
})

test('encodeUnknownAttributes is padded and as short as possible (P-184)', () => {
  const head = `011100102112a442${Buffer.from(txId).toString('hex')}0009000400000414`
  expect(Buffer.from(encodeUnknownAttributes(txId, [3])).toString('hex')).toBe(`${head}000a000200030000`)
  expect(Buffer.from(encodeUnknownAttributes(txId, [3, 0x24])).toString('hex')).toBe(`${head}000a000400030024`)
})
