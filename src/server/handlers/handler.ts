/** The shape of what handles one frame of a logged-in client. */

import { DerpError } from '../../lib/derp-error.ts'
import { frameTypeName } from '../../protocol/frame-type.ts'
import type { Session } from '../session.ts'

/** A frame as the decoder holds it: header at `start` of `buffer`, then `length` bytes of body. */
export interface Frame {
  readonly type: number
  readonly length: number
  readonly buffer: Uint8Array
  readonly start: number
}

/**
 * Handles one frame, whose length is within the bounds of its type. The frame is valid until the handler returns.
 *
 * @throws DerpError to end the session.
 */
export type Handler = (session: Session, frame: Frame) => void

/** Refuses the frame to sessions without the mesh key (P-074). */
export function assertMesh(session: Session, frame: Frame): void {
  if (session.canMesh) return
  throw new DerpError('ERR_DERP_PERMISSION_MISSING', `handle frame ${frameTypeName(frame.type)}: needs the mesh key`, {
    clause: 'P-074',
  })
}
