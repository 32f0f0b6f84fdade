/** Whether the control socket can be created. */

import { dirname } from 'node:path'
import type { DaemonSettings } from '../../daemon/settings.ts'
import { assertCanCreateIn } from './storable.ts'

/** @throws DerpError: nobody else makes its folder. */
export async function assertControlFolder({ upgrade }: Pick<DaemonSettings, 'upgrade'>): Promise<void> {
  if (upgrade === undefined) return
  const { controlSocket } = upgrade
  const remedy = 'create its folder, writable to the user of derper (RuntimeDirectory= of systemd)'
  await assertCanCreateIn(dirname(controlSocket), `listen on -control-socket ${controlSocket}`, remedy)
}
