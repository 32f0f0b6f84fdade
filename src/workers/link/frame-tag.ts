/** Metadata of a frame on a packet link, in one number: its kind and the length of its overhead. */

import type { PacketKind } from '../../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'

const DISCO = 0x80
const OVERHEAD_MASK = 0x7f

/** Overhead lengths. */
const RECV_PACKET: number = FRAME_HEADER_LENGTH + KEY_LENGTH
/** The source key followed by a SendPacket frame. */
const FORWARD: number = KEY_LENGTH + FRAME_HEADER_LENGTH + KEY_LENGTH

function tagOf(kind: PacketKind, overhead: number): number {
  return kind === 'disco' ? overhead | DISCO : overhead
}

/** A RecvPacket frame. */
export const recvPacketTag = (kind: PacketKind): number => tagOf(kind, RECV_PACKET)
/** The same without a source (P-051). */
export const sourcelessTag = (kind: PacketKind): number => tagOf(kind, FRAME_HEADER_LENGTH)
/** The source key followed by a SendPacket frame. */
export const forwardTag = (kind: PacketKind): number => tagOf(kind, FORWARD)

export function kindOf(tag: number): PacketKind {
  return (tag & DISCO) === 0 ? 'other' : 'disco'
}

/** Bytes that are not payload. */
export function overheadOf(tag: number): number {
  return tag & OVERHEAD_MASK
}

export function hasSource(tag: number): boolean {
  return overheadOf(tag) !== FRAME_HEADER_LENGTH
}
