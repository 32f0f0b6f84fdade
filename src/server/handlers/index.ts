/** The frames that a logged-in client may send, and their handlers. All others are skipped (P-002). */

import { FrameType } from '../../protocol/frame-type.ts'
import { handleClosePeer } from './close-peer.ts'
import { handleForwardPacket } from './forward-packet.ts'
import type { Handler } from './handler.ts'
import { handleNotePreferred } from './note-preferred.ts'
import { handlePing } from './ping.ts'
import { handlePong } from './pong.ts'
import { handleSendPacket } from './send-packet.ts'
import { handleWatchConns } from './watch-conns.ts'

const TABLE = {
  [FrameType.SendPacket]: handleSendPacket,
  [FrameType.ForwardPacket]: handleForwardPacket,
  [FrameType.NotePreferred]: handleNotePreferred,
  [FrameType.WatchConns]: handleWatchConns,
  [FrameType.ClosePeer]: handleClosePeer,
  [FrameType.Ping]: handlePing,
  [FrameType.Pong]: handlePong,
} as const satisfies Partial<Record<FrameType, Handler>>

/** Handlers by frame type. */
export const HANDLERS: readonly (Handler | undefined)[] = Array.from(
  { length: 256 },
  (_, type) => (TABLE as Readonly<Record<number, Handler>>)[type],
)
