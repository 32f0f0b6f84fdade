/** What relays say, for pages: recorded from real ones on loopback. For the writer and the test. */

import type { TranscriptKind } from '../transcript-pages.ts'
import { HEALTH_SESSIONS } from './health.ts'
import { LOG_SESSIONS } from './logs.ts'
import { MESH_SESSIONS } from './mesh.ts'
import { OPERATION_SESSIONS } from './operation.ts'
import { SIGNAL_SESSIONS } from './signals.ts'
import { Stage } from './stage.ts'
import { UPGRADE_SESSIONS } from './upgrades.ts'
import { VERSION_SESSIONS } from './versions.ts'

/** Runs relays; resolves to what a reader would see. */
export type Session = (stage: Stage) => Promise<string>

/** How it is marked in pages. */
export const RELAY_SESSION: TranscriptKind = { marker: 'Session', writer: 'scripts/write-sessions.ts' }

/** By the names in markers. */
export const SESSIONS: Readonly<Record<string, Session>> = {
  ...HEALTH_SESSIONS,
  ...LOG_SESSIONS,
  ...SIGNAL_SESSIONS,
  ...MESH_SESSIONS,
  ...UPGRADE_SESSIONS,
  ...OPERATION_SESSIONS,
  ...VERSION_SESSIONS,
}

/** Runs one with relays of its own; resolves to what it shows. */
export async function recordSession(session: Session): Promise<string> {
  await using stage = await Stage.open()
  return await session(stage)
}
