/** SendPacket: a packet for another client (P-050, P-055, P-308). */

import { NodePublicKey } from '../../keys/node-key.ts'
import { DropReason } from '../../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../../protocol/constants.ts'
import { looksLikeDisco } from '../../protocol/disco.ts'
import type { Handler } from './handler.ts'

export const handleSendPacket: Handler = (session, frame) => {
  const { buffer, start } = frame
  const { counters } = session.relay
  const keyAt = start + FRAME_HEADER_LENGTH
  const end = keyAt + frame.length
  const payloadAt = keyAt + KEY_LENGTH
  const kind = looksLikeDisco(buffer, payloadAt, end) ? 'disco' : 'other'
  if (kind === 'disco') counters.packetsReceivedDisco++
  else counters.packetsReceivedOther++
  counters.bytesReceived += end - payloadAt
  session.tally.packetsReceived++
  session.tally.packetBytesReceived += end - payloadAt
  const destination = session.routes.get(buffer, keyAt)
  if (destination !== undefined) {
    if (destination.local === undefined && destination.isCountedElsewhere !== true) counters.packetsForwardedOut++
    destination.takeSendPacket(session, buffer, start, end, kind)
    return
  }
  if (session.relay.region?.takeUnknown(session, buffer, start, end, kind) === true) return
  counters.drop(DropReason.UnknownDest, kind, end - payloadAt)
  session.tellNotHere(NodePublicKey.fromBytes(buffer.subarray(keyAt, payloadAt)), kind)
}
