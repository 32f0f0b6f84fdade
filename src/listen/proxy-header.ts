/**
 * The PROXY header, versions 1 and 2: the client of a connection that a proxy forwards.
 *
 * Pure: parses the bytes so far, says if more are needed, and never asks for more than the limits below.
 * Clauses: P-126 form.
 */

import { type AddressPort, addressFrom16, ipFamilyOf } from '../lib/address-port.ts'

/** Maximum bytes of a text header, line end included. */
const MAX_TEXT_HEADER = 107
/** Maximum bytes of a binary header. Addresses take 52; the rest are extensions, which are ignored. */
export const MAX_BINARY_HEADER = 4096

export interface ProxyHeader {
  readonly version: 1 | 2
  /** Length of the header; what follows belongs to the stream. */
  readonly length: number
  /** Undefined for the proxy's own connection, or an unsupported address family. */
  readonly source: AddressPort | undefined
}

/** Why there is no header yet, or never will be. */
export type NoProxyHeader = 'incomplete' | 'missing' | 'malformed'

const TEXT_SIGNATURE = Buffer.from('PROXY ', 'latin1')
const BINARY_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Signature, version and command, family and protocol, length. */
const BINARY_FIXED_BYTES = 16
const COMMAND = { LOCAL: 0x20, PROXY: 0x21 } as const
const TCP_OVER_IPV4 = 0x11
const TCP_OVER_IPV6 = 0x21

/** Parses the header at the start of `bytes`, the first bytes of a connection. */
export function readProxyHeader(bytes: Buffer): ProxyHeader | NoProxyHeader {
  if (beginsLike(bytes, TEXT_SIGNATURE)) return readText(bytes)
  if (beginsLike(bytes, BINARY_SIGNATURE)) return readBinary(bytes)
  return 'missing'
}

/** Whether `bytes` match the signature, as far as they go. */
function beginsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length)
  return bytes.subarray(0, length).equals(signature.subarray(0, length))
}

function readText(bytes: Buffer): ProxyHeader | NoProxyHeader {
  const end = bytes.subarray(0, MAX_TEXT_HEADER).indexOf('\r\n')
  if (end === -1) return bytes.length < MAX_TEXT_HEADER ? 'incomplete' : 'malformed'
  const line = bytes.toString('latin1', 0, end)
  const length = end + 2
  // Anything may follow UNKNOWN, and is ignored.
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { version: 1, length, source: undefined }
  const [, family, address = '', target = '', port, targetPort] =
    /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? []
  const areOfFamily = [address, target].every(text => String(ipFamilyOf(text)) === family)
  if (!areOfFamily || Math.max(Number(port), Number(targetPort)) > 65_535) return 'malformed'
  return { version: 1, length, source: { address, port: Number(port) } }
}

function readBinary(bytes: Buffer): ProxyHeader | NoProxyHeader {
  if (bytes.length < BINARY_FIXED_BYTES) return 'incomplete'
  const command = bytes[12]
  const length = BINARY_FIXED_BYTES + bytes.readUInt16BE(14)
  if (command !== COMMAND.LOCAL && command !== COMMAND.PROXY) return 'malformed'
  if (length > MAX_BINARY_HEADER) return 'malformed'
  if (bytes.length < length) return 'incomplete'
  const addresses = bytes.subarray(BINARY_FIXED_BYTES, length)
  // Other families and protocols carry no usable address.
  const width = { [TCP_OVER_IPV4]: 4, [TCP_OVER_IPV6]: 16 }[bytes[13] as number]
  if (command === COMMAND.LOCAL || width === undefined) return { version: 2, length, source: undefined }
  // Both addresses, then both ports.
  if (addresses.length < 2 * width + 4) return 'malformed'
  const port = addresses.readUInt16BE(2 * width)
  return { version: 2, length, source: { address: addressText(addresses.subarray(0, width)), port } }
}

function addressText(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join('.') : addressFrom16(bytes)
}
