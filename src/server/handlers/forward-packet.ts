/** ForwardPacket: a sibling relay passes on a packet for a client of ours (P-072). */

import { NodePublicKey } from '../../keys/node-key.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'
import { looksLikeDisco } from '../../protocol/disco.ts'
import { writeFrameHeader } from '../../protocol/encode.ts'
import { FrameType } from '../../protocol/frame-type.ts'
import { assertMesh, type Handler } from './handler.ts'

export const handleForwardPacket: Handler = (session, frame) => {
  assertMesh(session, frame)
  const { buffer, start } = frame
  const { counters, routes } = session.relay
  const sourceAt = start + FRAME_HEADER_LENGTH
  const destinationAt = sourceAt + KEY_LENGTH
  const payloadAt = destinationAt + KEY_LENGTH
  const end = sourceAt + frame.length
  const kind = looksLikeDisco(buffer, payloadAt, end) ? 'disco' : 'other'
  counters.packetsForwardedIn++
  // A packet that was forwarded once is not forwarded again: siblings are all joined to each other.
  const local = routes.get(buffer, destinationAt)?.local
  if (local === undefined) {
    counters.drop(DropReason.UnknownDestOnForward, kind, end - payloadAt)
    session.tellNotHere(NodePublicKey.fromBytes(buffer.subarray(destinationAt, payloadAt)), kind)
    return
  }
  if (isZero(buffer, sourceAt, destinationAt)) {
    // Protocol version 1 had no source in RecvPacket; the original falls back to that.
    const frameAt = payloadAt - FRAME_HEADER_LENGTH
    writeFrameHeader(buffer, frameAt, FrameType.RecvPacket, end - payloadAt)
    local.takeForwardedWithoutSource(buffer, frameAt, end, kind)
    return
  }
  // RecvPacket is shorter by one key: it is laid out in place so that the payload need not move. The source key takes
  // the destination's place before the header overwrites the end of where it was.
  const frameAt = start + KEY_LENGTH
  buffer.copyWithin(destinationAt, sourceAt, destinationAt)
  writeFrameHeader(buffer, frameAt, FrameType.RecvPacket, frame.length - KEY_LENGTH)
  local.takeForwarded(buffer, frameAt, end, kind)
}

function isZero(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (buffer[at] !== 0) return false
  return true
}
