/**
 * Numbers of the wire. Runtime defaults live with the parts that use them.
 *
 * Clauses: P-001, P-051, P-091.
 */

import { encodeUtf8 } from '../lib/bytes.ts'

/** Version both sides announce; version 2 carries the source key in RecvPacket. */
export const PROTOCOL_VERSION = 2

/** Eight bytes at the start of ServerKey: `DERP` and U+1F511. */
export const MAGIC: Uint8Array = encodeUtf8('DERP\u{1F511}') // P-031

/** Bytes before each frame's body: type and length. */
export const FRAME_HEADER_LENGTH = 5

/** Bytes of a node public key. */
export const KEY_LENGTH = 32

/** Bytes of a box's nonce. */
export const NONCE_LENGTH = 24 // P-022

/** Most payload bytes of one packet. */
export const MAX_PACKET_LENGTH: number = 64 << 10 // P-052

/** Most body bytes of ClientInfo. */
export const MAX_CLIENT_INFO_LENGTH: number = 256 << 10 // P-003

/** Most body bytes of any frame a client accepts. */
export const MAX_SERVER_FRAME_LENGTH: number = 1 << 20 // P-004

/** Most body bytes of ServerKey. */
export const MAX_SERVER_KEY_LENGTH: number = 1 << 10 // P-004

/** Bytes of the payload of Ping and Pong that count. */
export const PING_LENGTH = 8

/** Most body bytes of a Ping; those past the eighth are ignored. */
export const MAX_PING_LENGTH = 1000 // P-003

/** HTTP header, value `1`: the client wants no 101 answer. */
export const FAST_START_HEADER = 'Derp-Fast-Start' // P-122

/** HTTP header naming the node the client would rather have reached. */
export const IDEAL_NODE_HEADER = 'Ideal-Node' // P-123

/** What the common name of a meta certificate begins with; the relay's key in raw hex form follows. */
export const META_CERTIFICATE_NAME_PREFIX = 'derpkey' // P-140
