/**
 * STUN binding requests and responses between nodes and relays: bytes in, values out (RFC 8489).
 *
 * Clauses: P-180 which requests are answered, P-181 the response, P-182 both at the client.
 */

import { equalBytes, readUint32 } from '../lib/bytes.ts'
import { allocateMessage, fingerprint, readUint16, walkAttributes } from './attributes.ts'
import {
  ATTRIBUTE,
  BINDING_REQUEST,
  BINDING_SUCCESS,
  FINGERPRINT_BYTES,
  HEADER_BYTES,
  MAGIC_COOKIE,
  NODE_SOFTWARE,
  TX_ID_BYTES,
  TX_ID_OFFSET,
} from './constants.ts'
import {
  mappedAddressBytes,
  readMappedAddress,
  readXorMappedAddress,
  type StunAddress,
  unmapAddress,
  writeXorMappedAddress,
} from './mapped-address.ts'

/** Why a datagram is not a request to answer. */
export type BindingRequestFailure =
  /** Not STUN at all, see {@link isStun}. */
  | 'notStun'
  /** STUN of another type. */
  | 'notBindingRequest'
  /** An attribute is longer than what is left. */
  | 'malformedAttributes'
  /** SOFTWARE is missing or not that of a node. */
  | 'wrongSoftware'
  /** The last attribute is not FINGERPRINT. */
  | 'noFingerprint'
  /** FINGERPRINT does not match the message. */
  | 'wrongFingerprint'

/** A request to answer, or the first reason not to. */
export type BindingRequestResult =
  /** Answer it with its transaction id. */
  | {
      readonly ok: true
      /** 12 bytes, the caller's own. */
      readonly txId: Uint8Array
    }
  /** Drop it. */
  | { readonly ok: false; readonly failure: BindingRequestFailure }

/** Why a datagram is not a usable response. */
export type BindingResponseFailure = 'notStun' | 'notSuccessResponse' | 'malformedAttributes'

/** A response with the address seen by the server, or the first reason why there is none. */
export type BindingResponseResult =
  /** Compare its transaction id with that of the request. */
  | {
      readonly ok: true
      /** 12 bytes, the caller's own. */
      readonly txId: Uint8Array
      /** The sender of the request as the server sees it; an IPv4 address mapped to IPv6 comes as IPv4. */
      readonly address: StunAddress
    }
  /** Drop it. */
  | { readonly ok: false; readonly failure: BindingResponseFailure }

const SOFTWARE_VALUE = new TextEncoder().encode(NODE_SOFTWARE)

/**
 * Whether bytes look like STUN at all: header length, two zero bits, magic cookie.
 *
 * @example
 * ```ts
 * console.log(isStun(encodeBindingRequest(createTxId()))) // true
 * ```
 */
export function isStun(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && ((bytes[0] as number) & 0xc0) === 0 && readUint32(bytes, 4) === MAGIC_COOKIE
}

/**
 * Random bytes that identify one exchange.
 *
 * @example
 * ```ts
 * const txId = createTxId() // 12 bytes
 * ```
 */
export function createTxId(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(TX_ID_BYTES))
}

/**
 * A request with SOFTWARE and FINGERPRINT, in the order that relays expect.
 *
 * @example
 * ```ts
 * const datagram = encodeBindingRequest(createTxId())
 * ```
 */
export function encodeBindingRequest(txId: Uint8Array): Uint8Array {
  const softwareBytes = 4 + SOFTWARE_VALUE.length
  const message = allocateMessage(BINDING_REQUEST, txId, softwareBytes + FINGERPRINT_BYTES)
  const view = new DataView(message.buffer)
  view.setUint16(HEADER_BYTES, ATTRIBUTE.software)
  view.setUint16(HEADER_BYTES + 2, SOFTWARE_VALUE.length)
  message.set(SOFTWARE_VALUE, HEADER_BYTES + 4)
  const at = HEADER_BYTES + softwareBytes
  view.setUint16(at, ATTRIBUTE.fingerprint)
  view.setUint16(at + 2, 4)
  view.setUint32(at + 4, fingerprint(message, at))
  return message
}

/**
 * Parses a request, accepting exactly what the original accepts.
 *
 * The length in the header is ignored, attributes run to the end of the datagram, the last one must be FINGERPRINT, and
 * any one SOFTWARE among them must match.
 *
 * @example
 * ```ts
 * const request = parseBindingRequest(bytes)
 * if (!request.ok) console.log(request.failure) // such as notStun
 * ```
 */
export function parseBindingRequest(bytes: Uint8Array): BindingRequestResult {
  if (!isStun(bytes)) return { ok: false, failure: 'notStun' }
  if (readUint16(bytes, 0) !== BINDING_REQUEST) return { ok: false, failure: 'notBindingRequest' }
  let fromNode = false
  let lastType = 0
  let found = 0
  const wellFormed = walkAttributes(bytes.subarray(HEADER_BYTES), (type, value) => {
    lastType = type
    if (type === ATTRIBUTE.software && equalBytes(value, SOFTWARE_VALUE)) fromNode = true
    if (type === ATTRIBUTE.fingerprint && value.length === 4) found = readUint32(value, 0)
  })
  if (!wellFormed) return { ok: false, failure: 'malformedAttributes' }
  if (!fromNode) return { ok: false, failure: 'wrongSoftware' }
  if (lastType !== ATTRIBUTE.fingerprint) return { ok: false, failure: 'noFingerprint' }
  if (found !== fingerprint(bytes, bytes.length - FINGERPRINT_BYTES)) return { ok: false, failure: 'wrongFingerprint' }
  return { ok: true, txId: txIdOf(bytes) }
}

/**
 * A success response whose only attribute is XOR-MAPPED-ADDRESS.
 *
 * @example
 * ```ts
 * const address = { family: 4, bytes: Uint8Array.of(192, 0, 2, 1), port: 41_641 } as const
 * const datagram = encodeBindingResponse(createTxId(), address)
 * ```
 */
export function encodeBindingResponse(txId: Uint8Array, address: StunAddress): Uint8Array {
  const valueBytes = mappedAddressBytes(address)
  const message = allocateMessage(BINDING_SUCCESS, txId, 4 + valueBytes)
  const view = new DataView(message.buffer)
  view.setUint16(HEADER_BYTES, ATTRIBUTE.xorMappedAddress)
  view.setUint16(HEADER_BYTES + 2, valueBytes)
  writeXorMappedAddress(message, HEADER_BYTES + 4, address, txId)
  return message
}

/**
 * Parses a response of any STUN server.
 *
 * The last XOR-MAPPED-ADDRESS counts, otherwise the last MAPPED-ADDRESS; IPv4-mapped addresses become IPv4. Bytes beyond
 * the length in the header are ignored.
 *
 * @example
 * ```ts
 * const response = parseBindingResponse(bytes)
 * console.log(response.ok ? response.address : response.failure)
 * ```
 */
export function parseBindingResponse(bytes: Uint8Array): BindingResponseResult {
  if (!isStun(bytes)) return { ok: false, failure: 'notStun' }
  if (readUint16(bytes, 0) !== BINDING_SUCCESS) return { ok: false, failure: 'notSuccessResponse' }
  const end = HEADER_BYTES + readUint16(bytes, 2)
  if (end > bytes.length) return { ok: false, failure: 'malformedAttributes' }
  const txId = txIdOf(bytes)
  const address = findAddress(bytes.subarray(HEADER_BYTES, end), txId)
  if (address === undefined) return { ok: false, failure: 'malformedAttributes' }
  return { ok: true, txId, address: unmapAddress(address) }
}

function findAddress(list: Uint8Array, txId: Uint8Array): StunAddress | undefined {
  let masked: StunAddress | undefined
  let clear: StunAddress | undefined
  let readable = true
  const wellFormed = walkAttributes(list, (type, value) => {
    if (type === ATTRIBUTE.xorMappedAddress || type === ATTRIBUTE.xorMappedAddressDraft) {
      masked = readXorMappedAddress(value, txId)
      readable &&= masked !== undefined
    } else if (type === ATTRIBUTE.mappedAddress) {
      clear = readMappedAddress(value)
      readable &&= clear !== undefined
    }
  })
  return wellFormed && readable ? (masked ?? clear) : undefined
}

/** The transaction id of a message. A copy: the datagram's buffer may be reused before the id is. */
export function txIdOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.subarray(TX_ID_OFFSET, TX_ID_OFFSET + TX_ID_BYTES))
}
