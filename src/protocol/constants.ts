/** Numbers of the wire. Runtime defaults live with the parts that use them. */

import { encodeUtf8 } from '../lib/bytes.ts'

/** Version both sides announce; version 2 carries the source key in RecvPacket (P-051). */
export const PROTOCOL_VERSION = 2

/** Eight bytes at the start of ServerKey: `DERP` and U+1F511 (P-031). */
export const MAGIC: Uint8Array = encodeUtf8('DERP\u{1F511}')

/** Bytes before each frame's body: type and length (P-001). */
export const FRAME_HEADER_LENGTH = 5

/** Bytes of a node's public key. */
export const KEY_LENGTH = 32

/** Bytes of a box's nonce (P-022). */
export const NONCE_LENGTH = 24

/** Most payload bytes of one packet (P-052). */
export const MAX_PACKET_LENGTH: number = 64 << 10

/** Most body bytes of ClientInfo (P-003). */
export const MAX_CLIENT_INFO_LENGTH: number = 256 << 10

/** Most body bytes of any frame a client accepts (P-004). */
export const MAX_SERVER_FRAME_LENGTH: number = 1 << 20

/** Most body bytes of ServerKey (P-004). */
export const MAX_SERVER_KEY_LENGTH: number = 1 << 10

/** Bytes of the payload of Ping and Pong that count (P-091). */
export const PING_LENGTH = 8

/** Most body bytes of a Ping; those past the eighth are ignored (P-003). */
export const MAX_PING_LENGTH = 1000

/** HTTP header, value `1`: the client wants no 101 answer (P-122). */
export const FAST_START_HEADER = 'Derp-Fast-Start'

/** HTTP header naming the node the client would rather have reached (P-123). */
export const IDEAL_NODE_HEADER = 'Ideal-Node'

/** What the common name of a meta certificate begins with; the relay's key in raw hex form follows (P-140). */
export const META_CERTIFICATE_NAME_PREFIX = 'derpkey'
