/** Frame numbers and length bounds. */

import { KEY_LENGTH, MAGIC, MAX_SERVER_FRAME_LENGTH, MAX_SERVER_KEY_LENGTH } from './constants.ts'

// P-006
/** Frame types. */
export const FrameType = {
  /** Server greeting: magic and public key. */
  ServerKey: 0x01, // P-031
  /** Client key and sealed ClientInfo. */
  ClientInfo: 0x02, // P-032
  /** Sealed ServerInfo: login is complete. */
  ServerInfo: 0x03, // P-034
  /** A packet for the key that precedes it. */
  SendPacket: 0x04, // P-050
  /** A packet from the key that precedes it. */
  RecvPacket: 0x05, // P-051
  /** Sent by the server to keep idle connections open. */
  KeepAlive: 0x06, // P-090
  /** Whether this server is the client's home. */
  NotePreferred: 0x07, // P-054
  /** A peer is not, or no longer, connected. */
  PeerGone: 0x08, // P-060
  /** A peer is connected; for watchers. */
  PeerPresent: 0x09, // P-071
  /** A packet forwarded by a mesh peer. */
  ForwardPacket: 0x0a, // P-072
  /** Subscribes to PeerPresent and PeerGone; needs the mesh key. */
  WatchConns: 0x10, // P-070
  /** Closes a peer's connections; needs the mesh key. */
  ClosePeer: 0x11, // P-073
  /** Eight bytes to be returned. */
  Ping: 0x12, // P-091
  /** The reply to a Ping. */
  Pong: 0x13, // P-091
  /** A problem with this connection; empty clears it. */
  Health: 0x14, // P-092
  /** The server is about to restart. */
  Restarting: 0x15, // P-093
} as const
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

const names = new Map<number, string>(Object.entries(FrameType).map(([name, number]) => [number, name]))

/**
 * Name of a frame type for logs; unknown types as a hexadecimal number.
 *
 * @example
 * ```ts
 * console.log(frameTypeName(FrameType.Ping), frameTypeName(0xee)) // Ping 0xee
 * ```
 */
export function frameTypeName(type: number): string {
  return names.get(type) ?? `0x${type.toString(16).padStart(2, '0')}`
}

/** What a {@link FrameDecoder} does with types outside the bounds. */
export interface UnknownFrames {
  /** Longest body that is skipped; a longer one ends the connection. `refuse` ends it at any length. */
  readonly skipUpTo: number | 'refuse'
}

/** Length bounds per frame type, laid out for one lookup per frame. */
export interface FrameBounds {
  /** Minimum body bytes by type; meaningless where `max` is -1. */
  readonly min: Int32Array
  /** Maximum body bytes by type; -1 for a type that is not read. */
  readonly max: Int32Array
  /** What becomes of types that are not read. */
  readonly unknown: UnknownFrames
  /** The clause violated by a length out of bounds. */
  readonly clause: string
  /** Types that are skipped, not rejected, if their length is out of bounds. */
  readonly lenient: ReadonlySet<number>
  /** Maximum bytes allocated for a frame before they arrive. */
  readonly trustedBytes: number
}

interface Leniency {
  readonly lenient: readonly number[]
  readonly trustedBytes: number
}

/** Bounds that read the types of `lengths`, and skip all others. */
export function frameBounds(
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

// P-004, P-031
/** What a client reads as the server greeting. */
export const CLIENT_LOGIN_BOUNDS: FrameBounds = /* @__PURE__ */ frameBounds(
  new Map([[FrameType.ServerKey, [MAGIC.length + KEY_LENGTH, MAX_SERVER_KEY_LENGTH]]]),
  { skipUpTo: 'refuse' },
  'P-004',
)

// P-002, P-004
/** What a client reads after the greeting; everything else is skipped. */
export const CLIENT_BOUNDS: FrameBounds = /* @__PURE__ */ frameBounds(
  // Clients skip a short frame of a known type, so only exceeding the cap is an error here.
  new Map(
    [
      FrameType.ServerInfo,
      FrameType.RecvPacket,
      FrameType.KeepAlive,
      FrameType.PeerGone,
      FrameType.PeerPresent,
      FrameType.Ping,
      FrameType.Pong,
      FrameType.Health,
      FrameType.Restarting,
    ].map(type => [type, [0, MAX_SERVER_FRAME_LENGTH]]),
  ),
  { skipUpTo: MAX_SERVER_FRAME_LENGTH },
  'P-004',
)
