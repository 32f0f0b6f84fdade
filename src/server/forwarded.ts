/**
 * The only entrance for packets from links: to a client of this relay, or dropped. None is forwarded again, because links
 * already connect all relays of a region.
 *
 * Clauses: P-051, P-072.
 */

import type { RelayCounters } from '../metrics/counters.ts'
import { DropReason, type PacketKind } from '../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import { writeFrameHeader } from '../protocol/encode.ts'
import { FrameType } from '../protocol/frame-type.ts'
import type { Destination } from './ports.ts'

/** The connection to the relay that forwards. */
export interface Forwarder {
  readonly relay: { readonly counters: RelayCounters }
  /** Where the relay's clients are. */
  readonly routes: { get(bytes: Uint8Array, offset: number): Destination | undefined }
}

/** Bytes of a ForwardPacket frame before its payload. */
export const FORWARD_PACKET_OVERHEAD: number = FRAME_HEADER_LENGTH + 2 * KEY_LENGTH

/**
 * Delivers the ForwardPacket frame from `start` to `end` of `buffer`, rewriting it in place. The buffer is handled as by
 * a `Destination`.
 *
 * @returns whether the destination is a client of this relay; if not, the packet has been counted as dropped.
 */
export function takeForwardPacket(
  { relay: { counters }, routes }: Forwarder,
  buffer: Uint8Array,
  start: number,
  end: number,
  kind: PacketKind,
): boolean {
  const sourceAt = start + FRAME_HEADER_LENGTH
  const destinationAt = sourceAt + KEY_LENGTH
  const payloadAt = destinationAt + KEY_LENGTH
  counters.packetsForwardedIn++
  const local = routes.get(buffer, destinationAt)?.local
  if (local === undefined) {
    counters.drop(DropReason.UnknownDestOnForward, kind, end - payloadAt)
    return false
  }
  if (isZero(buffer, sourceAt, destinationAt)) {
    // Protocol version 1 had no source in RecvPacket; the original falls back to that.
    const frameAt = payloadAt - FRAME_HEADER_LENGTH
    writeFrameHeader(buffer, frameAt, FrameType.RecvPacket, end - payloadAt)
    local.takeForwardedWithoutSource(buffer, frameAt, end, kind)
    return true
  }
  // RecvPacket is one key shorter: it is laid out in place so that the payload need not move. The source key moves to
  // the destination's place before the header overwrites its end.
  const frameAt = start + KEY_LENGTH
  buffer.copyWithin(destinationAt, sourceAt, destinationAt)
  writeFrameHeader(buffer, frameAt, FrameType.RecvPacket, end - destinationAt)
  local.takeForwarded(buffer, frameAt, end, kind)
  return true
}

function isZero(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (buffer[at] !== 0) return false
  return true
}
