/** The numbers of the frames and how long each may be. */

import {
  KEY_LENGTH,
  MAGIC,
  MAX_CLIENT_INFO_LENGTH,
  MAX_PACKET_LENGTH,
  MAX_PING_LENGTH,
  MAX_SERVER_FRAME_LENGTH,
  MAX_SERVER_KEY_LENGTH,
  NONCE_LENGTH,
  PING_LENGTH,
} from './constants.ts'

/** Frame types (P-006). */
export const FrameType = {
  /** Server's greeting: magic and public key (P-031). */
  ServerKey: 0x01,
  /** Client's key and sealed ClientInfo (P-032). */
  ClientInfo: 0x02,
  /** Sealed ServerInfo: login is complete (P-034). */
  ServerInfo: 0x03,
  /** A packet for the key in front of it (P-050). */
  SendPacket: 0x04,
  /** A packet from the key in front of it (P-051). */
  RecvPacket: 0x05,
  /** Sent by the server so that idle connections stay open (P-090). */
  KeepAlive: 0x06,
  /** Whether this server is the client's home (P-054). */
  NotePreferred: 0x07,
  /** A peer is not, or no longer, connected (P-060). */
  PeerGone: 0x08,
  /** A peer is connected; for watchers (P-071). */
  PeerPresent: 0x09,
  /** A packet passed on by a sibling relay (P-072). */
  ForwardPacket: 0x0a,
  /** Asks for all PeerPresent and PeerGone; needs the mesh key (P-070). */
  WatchConns: 0x10,
  /** Closes a peer's connections; needs the mesh key (P-073). */
  ClosePeer: 0x11,
  /** Eight bytes to be sent back (P-091). */
  Ping: 0x12,
  /** The answer to a Ping (P-091). */
  Pong: 0x13,
  /** What is wrong with this connection, empty when nothing is (P-092). */
  Health: 0x14,
  /** The server goes away for a while (P-093). */
  Restarting: 0x15,
} as const
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

const names = new Map<number, string>(Object.entries(FrameType).map(([name, number]) => [number, name]))

/** The name of a frame type for logs; unknown ones as a hexadecimal number. */
export const frameTypeName = (type: number): string => names.get(type) ?? `0x${type.toString(16).padStart(2, '0')}`

/** What a {@link FrameDecoder} does with the types it is not told of. */
export interface UnknownFrames {
  /** Longest body that is skipped; a longer one ends the connection. `refuse` ends it at any length. */
  readonly skipUpTo: number | 'refuse'
}

/** Length bounds by frame type, laid out for a look-up per frame. */
export interface FrameBounds {
  /** Fewest body bytes by type; meaningless where `max` is -1. */
  readonly min: Int32Array
  /** Most body bytes by type; -1 for a type that is not read. */
  readonly max: Int32Array
  readonly unknown: UnknownFrames
  /** The clause that a length out of bounds breaks. */
  readonly clause: string
  /** Types that are skipped, not refused, when their length is out of bounds. */
  readonly lenient: ReadonlySet<number>
  /** Most bytes that are set aside for a frame before they have come. */
  readonly trustedBytes: number
}

interface Leniency {
  readonly lenient: readonly number[]
  readonly trustedBytes: number
}

function frameBounds(
  lengths: ReadonlyMap<number, readonly [min: number, max: number]>,
  unknown: UnknownFrames,
  clause: string,
  { lenient = [], trustedBytes = Number.POSITIVE_INFINITY }: Partial<Leniency> = {},
): FrameBounds {
  const min = new Int32Array(256)
  const max = new Int32Array(256).fill(-1)
  for (const [type, [fewest, most]] of lengths) {
    min[type] = fewest
    max[type] = most
  }
  return { min, max, unknown, clause, lenient: new Set(lenient), trustedBytes }
}

/** What a server reads before the client has logged in (P-003, P-030). */
export const SERVER_LOGIN_BOUNDS: FrameBounds = frameBounds(
  new Map([[FrameType.ClientInfo, [KEY_LENGTH + NONCE_LENGTH, MAX_CLIENT_INFO_LENGTH]]]),
  { skipUpTo: 'refuse' },
  'P-003',
  // Real ones have some 150 bytes. Who has not logged in may not have more set aside by five bytes of header.
  { trustedBytes: 1024 },
)

/** What a server reads from a logged-in client; all else is skipped (P-002, P-003). */
export const SERVER_BOUNDS: FrameBounds = frameBounds(
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
  // The original skips every Pong; ours reads those that can answer its pings.
  { lenient: [FrameType.Pong] },
)

/** What a client reads as the server's greeting (P-004, P-031). */
export const CLIENT_LOGIN_BOUNDS: FrameBounds = frameBounds(
  new Map([[FrameType.ServerKey, [MAGIC.length + KEY_LENGTH, MAX_SERVER_KEY_LENGTH]]]),
  { skipUpTo: 'refuse' },
  'P-004',
)

// A short frame of a known type is skipped by clients, so only the cap is an error here (P-004).
const anyServerFrame = [0, MAX_SERVER_FRAME_LENGTH] as const

/** What a client reads after the greeting; all else is skipped (P-002, P-004). */
export const CLIENT_BOUNDS: FrameBounds = frameBounds(
  new Map<number, readonly [number, number]>([
    [FrameType.ServerInfo, anyServerFrame],
    [FrameType.RecvPacket, anyServerFrame],
    [FrameType.KeepAlive, anyServerFrame],
    [FrameType.PeerGone, anyServerFrame],
    [FrameType.PeerPresent, anyServerFrame],
    [FrameType.Ping, anyServerFrame],
    [FrameType.Pong, anyServerFrame],
    [FrameType.Health, anyServerFrame],
    [FrameType.Restarting, anyServerFrame],
  ]),
  { skipUpTo: MAX_SERVER_FRAME_LENGTH },
  'P-004',
)
