/** NotePreferred: whether this relay is the client's home (P-054). */

import { FRAME_HEADER_LENGTH } from '../../protocol/constants.ts'
import type { Handler } from './handler.ts'

export const handleNotePreferred: Handler = (session, frame) => {
  session.setPreferred(frame.buffer[frame.start + FRAME_HEADER_LENGTH] !== 0)
}
