/** Length bounds of what servers read. A module of its own, so that clients do not load them. */

import {
  KEY_LENGTH,
  MAX_CLIENT_INFO_LENGTH,
  MAX_PACKET_LENGTH,
  MAX_PING_LENGTH,
  NONCE_LENGTH,
  PING_LENGTH,
} from './constants.ts'
import { type FrameBounds, FrameType, frameBounds } from './frame-type.ts'

// P-003, P-030
/** What a server reads before the client has logged in. */
export const SERVER_LOGIN_BOUNDS: FrameBounds = /* @__PURE__ */ frameBounds(
  new Map([[FrameType.ClientInfo, [KEY_LENGTH + NONCE_LENGTH, MAX_CLIENT_INFO_LENGTH]]]),
  { skipUpTo: 'refuse' },
  'P-003',
  // Real ones have some 150 bytes. A client that has not logged in may not reserve more with a five-byte header.
  { trustedBytes: 1024 },
)

// P-002, P-003
/** What a server reads from a logged-in client; everything else is skipped. */
export const SERVER_BOUNDS: FrameBounds = /* @__PURE__ */ frameBounds(
  new Map<number, readonly [number, number]>([
    [FrameType.SendPacket, [KEY_LENGTH, KEY_LENGTH + MAX_PACKET_LENGTH]],
    [FrameType.ForwardPacket, [2 * KEY_LENGTH, 2 * KEY_LENGTH + MAX_PACKET_LENGTH]],
    [FrameType.NotePreferred, [1, 1]],
    [FrameType.WatchConns, [0, 0]],
    [FrameType.ClosePeer, [KEY_LENGTH, KEY_LENGTH]],
    [FrameType.Ping, [PING_LENGTH, MAX_PING_LENGTH]],
    [FrameType.Pong, [PING_LENGTH, PING_LENGTH]],
  ]),
  { skipUpTo: 0xffffffff },
  'P-003',
  // The original skips every Pong; ours reads those that can reply to its pings.
  { lenient: [FrameType.Pong] },
)
