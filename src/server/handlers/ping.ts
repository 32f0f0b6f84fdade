/** Ping: its first eight bytes are returned as a Pong, the rest is ignored (P-091). */

import { FRAME_HEADER_LENGTH, PING_LENGTH } from '../../protocol/constants.ts'
import { encodePing } from '../../protocol/encode.ts'
import { FrameType } from '../../protocol/frame-type.ts'
import type { Handler } from './handler.ts'

export const handlePing: Handler = (session, frame) => {
  const { counters } = session.relay
  counters.gotPing++
  const at = frame.start + FRAME_HEADER_LENGTH
  if (session.sendPong(encodePing(FrameType.Pong, frame.buffer.subarray(at, at + PING_LENGTH)))) counters.sentPong++
}
