/** Constants of STUN (RFC 8489) and of its use between nodes and relays. */

/** Default UDP port of a relay's STUN server. */
export const STUN_PORT = 3478

/** Bytes of a transaction id. */
export const TX_ID_BYTES = 12

export const HEADER_BYTES = 20
export const TX_ID_OFFSET = 8
export const MAGIC_COOKIE = 0x2112a442
export const BINDING_REQUEST = 0x0001
export const BINDING_SUCCESS = 0x0101
export const BINDING_ERROR = 0x0111

/** Attribute types (sections 14 and 18.3). */
export const ATTRIBUTE = {
  mappedAddress: 0x0001,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  /** Sent by servers that use a draft's number for the attribute above. */
  xorMappedAddressDraft: 0x8020,
  software: 0x8022,
  fingerprint: 0x8028,
} as const

/** SOFTWARE value in every request of a node; others get no response (P-180). Eight bytes, so no padding. */
export const NODE_SOFTWARE = 'tailnode'

/** The whole attribute: header and checksum. */
export const FINGERPRINT_BYTES = 8
/** Distinguishes the checksum from other protocols that end in a CRC-32 (section 14.7). */
export const FINGERPRINT_XOR = 0x5354554e
