/** ClosePeer: closes all connections of another client, those to other relays of the region too (P-073, P-323). */

import { NodePublicKey } from '../../keys/node-key.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'
import { assertMesh, type Handler } from './handler.ts'

export const handleClosePeer: Handler = (session, frame) => {
  assertMesh(session, frame)
  const at = frame.start + FRAME_HEADER_LENGTH
  const peer = NodePublicKey.fromBytes(frame.buffer.subarray(at, at + KEY_LENGTH))
  session.relay.region?.closePeer(peer)
  session.pauseUntil(session.relay.directory.closePeer(peer))
}
