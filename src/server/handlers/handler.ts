/** Helpers for frame handlers. */

import { DerpError } from '../../lib/derp-error.ts'
import { frameTypeName } from '../../protocol/frame-type.ts'
import type { Frame, FrameHandler } from '../hosts.ts'
import type { Session } from '../session.ts'

export type Handler = FrameHandler<Session>

/** Rejects the frame from sessions without the mesh key (P-074). */
export function assertMesh(session: Session, frame: Frame): void {
  if (session.canMesh) return
  throw new DerpError('ERR_DERP_PERMISSION_MISSING', `handle frame ${frameTypeName(frame.type)}: needs the mesh key`, {
    clause: 'P-074',
  })
}
