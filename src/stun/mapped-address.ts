/** The address inside MAPPED-ADDRESS and XOR-MAPPED-ADDRESS (RFC 8489 sections 14.1 and 14.2). */

import { readUint16 } from './attributes.ts'
import { MAGIC_COOKIE } from './constants.ts'

/** An address in wire form. */
export interface StunAddress {
  /** 4 or 6. */
  readonly family: 4 | 6
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array
  /** UDP port, 0 to 65535. */
  readonly port: number
}

const HEAD_BYTES = 4
const FAMILY_IPV4 = 0x01
const FAMILY_IPV6 = 0x02

/** Length of the attribute value for an address. @throws RangeError if family and bytes disagree. */
export function mappedAddressBytes({ family, bytes }: StunAddress): number {
  if (bytes.length !== addressBytes(family)) {
    throw new RangeError(`use IPv${family} address of ${bytes.length} bytes: expected ${addressBytes(family)}`)
  }
  return HEAD_BYTES + bytes.length
}

/** Writes the value at `at`, XORed with cookie and transaction id to hide it from NAT rewriting. */
export function writeXorMappedAddress(out: Uint8Array, at: number, address: StunAddress, txId: Uint8Array): void {
  const mask = maskOf(txId)
  out[at + 1] = address.family === 4 ? FAMILY_IPV4 : FAMILY_IPV6
  out[at + 2] = (address.port >>> 8) ^ (mask[0] as number)
  out[at + 3] = address.port ^ (mask[1] as number)
  for (const [i, byte] of address.bytes.entries()) out[at + HEAD_BYTES + i] = byte ^ (mask[i] as number)
}

/** Reads a plain value; undefined if it is too short or of an unknown family. */
export function readMappedAddress(value: Uint8Array): StunAddress | undefined {
  if (value.length < HEAD_BYTES) return undefined
  const family = familyOf(value[1] as number)
  if (family === undefined || value.length < HEAD_BYTES + addressBytes(family)) return undefined
  const bytes = new Uint8Array(value.subarray(HEAD_BYTES, HEAD_BYTES + addressBytes(family)))
  return { family, bytes, port: readUint16(value, 2) }
}

/** Reads a value written by {@link writeXorMappedAddress}. */
export function readXorMappedAddress(value: Uint8Array, txId: Uint8Array): StunAddress | undefined {
  const masked = readMappedAddress(value)
  if (masked === undefined) return undefined
  const mask = maskOf(txId)
  const bytes = masked.bytes.map((byte, i) => byte ^ (mask[i] as number))
  return { family: masked.family, bytes, port: masked.port ^ readUint16(mask, 0) }
}

/** Converts an IPv4-mapped IPv6 address to IPv4; returns others unchanged. */
export function unmapAddress(address: StunAddress): StunAddress {
  const { bytes, port } = address
  const isMapped =
    bytes.length === 16 && bytes.subarray(0, 10).every(byte => byte === 0) && readUint16(bytes, 10) === 0xffff
  return isMapped ? { family: 4, bytes: bytes.subarray(12), port } : address
}

function maskOf(txId: Uint8Array): Uint8Array {
  const mask = new Uint8Array(4 + txId.length)
  new DataView(mask.buffer).setUint32(0, MAGIC_COOKIE)
  mask.set(txId, 4)
  return mask
}

function familyOf(byte: number): 4 | 6 | undefined {
  if (byte === FAMILY_IPV4) return 4
  return byte === FAMILY_IPV6 ? 6 : undefined
}

function addressBytes(family: 4 | 6): number {
  return family === 4 ? 4 : 16
}
