/** Pong: the reply to a ping of the relay (P-091). */

import { FRAME_HEADER_LENGTH, PING_LENGTH } from '../../protocol/constants.ts'
import type { Handler } from './handler.ts'

export const handlePong: Handler = (session, frame) => {
  const at = frame.start + FRAME_HEADER_LENGTH
  session.pings?.answered(frame.buffer.subarray(at, at + PING_LENGTH), session.relay.now())
}
