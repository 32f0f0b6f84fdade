import { expect, test } from 'vitest'
import { addressFrom16, addressTo16, formatAddressPort } from '../../src/lib/address-port.ts'
import type { StunAddress } from '../../src/stun/mapped-address.ts'
import {
  encodeBindingRequest,
  encodeBindingResponse,
  parseBindingRequest,
  parseBindingResponse,
} from '../../src/stun/message.ts'
import { fromHex, hex, readGolden } from '../support/golden.ts'

const golden = readGolden('stun')

/** `1.2.3.4:56` or `[::1]:56` in wire form. */
function readAddress(text: string): StunAddress {
  const at = text.lastIndexOf(':')
  const address = text.slice(0, at).replaceAll(/[[\]]/g, '')
  const port = Number(text.slice(at + 1))
  const bytes = addressTo16(address)
  return address.includes(':') ? { family: 6, bytes, port } : { family: 4, bytes: bytes.subarray(12), port }
}

/** Family and text, as {@link addressFrom16} writes IPv4 for IPv4-mapped addresses too. */
function writeAddress({ family, bytes, port }: StunAddress): string {
  const address = family === 4 ? bytes.join('.') : addressFrom16(bytes)
  return `IPv${family} ${formatAddressPort({ address, port })}`
}

/** The same for an address of the vectors. */
const expectedAddress = (text: string) => `IPv${text.startsWith('[') ? 6 : 4} ${text}`

/** The transaction id of an accepted request. */
function askedBy(bytes: Uint8Array): string | undefined {
  const result = parseBindingRequest(bytes)
  return result.ok ? hex(result.txId) : undefined
}

/** Transaction id and address of a usable response. */
function answeredBy(bytes: Uint8Array): string | undefined {
  const result = parseBindingResponse(bytes)
  return result.ok ? `${hex(result.txId)} ${writeAddress(result.address)}` : undefined
}

test.each(golden.requests)('encodeBindingRequest matches the original: $txid (P-180)', ({ txid, hex: bytes }) => {
  expect(hex(encodeBindingRequest(fromHex(txid)))).toBe(bytes)
  expect(askedBy(fromHex(bytes))).toBe(txid)
})

test.each(golden.responses)(
  'encodeBindingResponse matches the original: $ipPort (P-181)',
  ({ txid, ipPort, hex: bytes }) => {
    expect(hex(encodeBindingResponse(fromHex(txid), readAddress(ipPort)))).toBe(bytes)
  },
)

test.each(golden.responses)(
  'parseBindingResponse reads responses of the original: $ipPort (P-181)',
  ({ txid, readsAs, hex: bytes }) => {
    expect(answeredBy(fromHex(bytes))).toBe(`${txid} ${expectedAddress(readsAs)}`)
  },
)

test.each(golden.parseRequests)(
  'parseBindingRequest accepts and rejects like the original: $name (P-180)',
  ({ hex: bytes, txid }) => {
    expect(askedBy(fromHex(bytes))).toBe(txid)
  },
)

test.each(golden.parseResponses)(
  'parseBindingResponse accepts and rejects like the original: $name (P-181)',
  ({ hex: bytes, txid, ipPort }) => {
    expect(answeredBy(fromHex(bytes))).toBe(txid === undefined ? undefined : `${txid} ${expectedAddress(ipPort ?? '')}`)
  },
)
