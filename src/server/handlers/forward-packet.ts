/** ForwardPacket: a packet from a mesh peer for a client of ours (P-072, P-311, P-314). */

import { NodePublicKey } from '../../keys/node-key.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'
import { looksLikeDisco } from '../../protocol/disco.ts'
import { encodePeerGone } from '../../protocol/encode.ts'
import { PeerGoneReason } from '../../protocol/messages.ts'
import { FORWARD_PACKET_OVERHEAD, takeForwardPacket } from '../forwarded.ts'
import { assertMesh, type Handler } from './handler.ts'

export const handleForwardPacket: Handler = (session, frame) => {
  assertMesh(session, frame)
  const { buffer, start } = frame
  const { region, counters } = session.relay
  const payloadAt = start + FORWARD_PACKET_OVERHEAD
  const end = start + FRAME_HEADER_LENGTH + frame.length
  session.tally.packetsReceived++
  session.tally.packetBytesReceived += end - payloadAt
  const kind = looksLikeDisco(buffer, payloadAt, end) ? 'disco' : 'other'
  // Before the frame is rewritten, and before its receiver waits for the source to leave.
  region?.noteSource(session.key, buffer, start + FRAME_HEADER_LENGTH)
  if (takeForwardPacket(session, buffer, start, end, kind)) return
  const peer = NodePublicKey.fromBytes(buffer.subarray(payloadAt - KEY_LENGTH, payloadAt))
  if (region?.isRelay(session.key) !== true) {
    session.tellNotHere(peer, kind)
    return
  }
  // A relay must learn of each packet that went astray: it has to find the destination again.
  counters.peerGoneNotHereFrames++
  session.sendControl(encodePeerGone(peer, PeerGoneReason.NotHere))
}
