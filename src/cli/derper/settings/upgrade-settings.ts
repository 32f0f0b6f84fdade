/** Upgrades in place, from the flags (P-177). */

import { platform } from 'node:process'
import type { UpgradeSettings } from '../../../daemon/settings.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { UPGRADE_FLAGS } from '../flags/upgrade.ts'
import { durationSetting, settingError } from './setting.ts'

/** Most bytes of a Unix socket's path on Linux. */
const MAX_PATH_BYTES = 107

/** Undefined for none. @throws DerpError naming flag, value and reason. */
export function upgradeSettings(
  {
    'control-socket': controlSocket,
    takeover: takeOver,
    'takeover-timeout': timeout,
  }: FlagValues<typeof UPGRADE_FLAGS>,
  os: NodeJS.Platform = platform,
): UpgradeSettings | undefined {
  if (controlSocket === '') {
    if (takeOver) throw settingError('takeover', 'true', 'needs -control-socket, the same as that of the first derper')
    return undefined
  }
  if (os !== 'linux') throw settingError('control-socket', controlSocket, 'only Linux lets two processes share ports')
  if (Buffer.byteLength(controlSocket) > MAX_PATH_BYTES) {
    throw settingError('control-socket', controlSocket, `longer than the ${MAX_PATH_BYTES} bytes of a socket's path`)
  }
  return { controlSocket, takeOver, readyMs: durationSetting('takeover-timeout', timeout) }
}
