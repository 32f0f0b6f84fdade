/** Wire constants. Runtime defaults are in the modules that use them. */

import { encodeUtf8 } from '../lib/bytes.ts'

// P-039, P-051
/** Protocol version announced by both sides; since version 2 RecvPacket carries the source key. */
export const PROTOCOL_VERSION = 2

// P-031
/** Eight bytes at the start of ServerKey: `DERP` and U+1F511. */
export const MAGIC: Uint8Array = encodeUtf8('DERP\u{1F511}')

// P-001
/** Bytes before each frame's body: type and length. */
export const FRAME_HEADER_LENGTH = 5

/** Bytes of a node public key. */
export const KEY_LENGTH = 32

// P-022
/** Bytes of a box nonce. */
export const NONCE_LENGTH = 24

// P-052
/** Maximum payload bytes of one packet. */
export const MAX_PACKET_LENGTH: number = 64 << 10

// P-003
/** Maximum body bytes of ClientInfo. */
export const MAX_CLIENT_INFO_LENGTH: number = 256 << 10

// P-004
/** Maximum body bytes of any frame that a client accepts. */
export const MAX_SERVER_FRAME_LENGTH: number = 1 << 20

// P-004
/** Maximum body bytes of ServerKey. */
export const MAX_SERVER_KEY_LENGTH: number = 1 << 10

// P-091
/** Significant payload bytes of Ping and Pong. */
export const PING_LENGTH = 8

// P-003
/** Maximum body bytes of a Ping; bytes after the eighth are ignored. */
export const MAX_PING_LENGTH = 1000

// P-122
/** HTTP header, value `1`: the client expects no 101 response. */
export const FAST_START_HEADER = 'Derp-Fast-Start'

// P-123
/** HTTP header with the name of the node that the client would have preferred. */
export const IDEAL_NODE_HEADER = 'Ideal-Node'

// P-150
/** Sub-protocol of DERP over WebSocket. */
export const WEBSOCKET_PROTOCOL = 'derp'

// P-140
/** Prefix of the common name of a meta certificate, followed by the relay's key in raw hex. */
export const META_CERTIFICATE_NAME_PREFIX = 'derpkey'
