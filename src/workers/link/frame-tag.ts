/** What must be known of a frame on its way to another part, in one number: its kind, and what in it is no payload. */

import type { PacketKind } from '../../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'

const DISCO = 0x80
const OVERHEAD_MASK = 0x7f

/** Overheads. */
const RECV_PACKET: number = FRAME_HEADER_LENGTH + KEY_LENGTH
/** The source's key, and a SendPacket frame. */
const FORWARD: number = KEY_LENGTH + FRAME_HEADER_LENGTH + KEY_LENGTH

function tagOf(kind: PacketKind, overhead: number): number {
  return kind === 'disco' ? overhead | DISCO : overhead
}

/** A RecvPacket frame. */
export const recvPacketTag = (kind: PacketKind): number => tagOf(kind, RECV_PACKET)
/** The same without a source (P-051). */
export const sourcelessTag = (kind: PacketKind): number => tagOf(kind, FRAME_HEADER_LENGTH)
/** The source's key with a SendPacket frame behind it. */
export const forwardTag = (kind: PacketKind): number => tagOf(kind, FORWARD)

export function kindOf(tag: number): PacketKind {
  return (tag & DISCO) === 0 ? 'other' : 'disco'
}

/** Bytes that are no payload. */
export function overheadOf(tag: number): number {
  return tag & OVERHEAD_MASK
}

export function hasSource(tag: number): boolean {
  return overheadOf(tag) !== FRAME_HEADER_LENGTH
}
