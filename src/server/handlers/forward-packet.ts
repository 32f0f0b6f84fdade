/** ForwardPacket: a packet from a mesh peer for a client of ours (P-072). */

import { NodePublicKey } from '../../keys/node-key.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'
import { looksLikeDisco } from '../../protocol/disco.ts'
import { FORWARD_PACKET_OVERHEAD, takeForwardPacket } from '../forwarded.ts'
import { assertMesh, type Handler } from './handler.ts'

export const handleForwardPacket: Handler = (session, frame) => {
  assertMesh(session, frame)
  const { buffer, start } = frame
  const payloadAt = start + FORWARD_PACKET_OVERHEAD
  const end = start + FRAME_HEADER_LENGTH + frame.length
  const kind = looksLikeDisco(buffer, payloadAt, end) ? 'disco' : 'other'
  if (takeForwardPacket(session.relay, buffer, start, end, kind)) return
  session.tellNotHere(NodePublicKey.fromBytes(buffer.subarray(payloadAt - KEY_LENGTH, payloadAt)), kind)
}
