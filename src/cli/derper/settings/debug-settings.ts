/** Debug page settings, from the original's two variables and the flags of the status page. */

import type { DebugSettings } from '../../../daemon/settings.ts'
import type { FlagValues } from '../../go-flags.ts'
import type { METRICS_FLAGS } from '../flags/metrics.ts'
import type { SERVING_FLAGS } from '../flags/serving.ts'
import { readSettingFile } from './setting.ts'

/** A shorter one could be guessed. */
const MIN_TOKEN_LENGTH = 16

type DebugFlags = Pick<FlagValues<typeof METRICS_FLAGS & typeof SERVING_FLAGS>, 'status-token-file' | 'dev'>

/**
 * @param env where `TS_ALLOW_DEBUG_IP` and `TS_DEBUG_KEY_PATH` are looked up.
 *
 * Rejects with a DerpError naming the flag and what is wrong with its file; a token is not shown.
 */
export async function debugSettings(
  { dev, 'status-token-file': tokenPath }: DebugFlags,
  tlsHostname: string,
  env: NodeJS.ProcessEnv,
): Promise<DebugSettings> {
  const { TS_ALLOW_DEBUG_IP: allowAddress, TS_DEBUG_KEY_PATH: keyPath } = env
  if (tokenPath !== '') await readSettingFile('status-token-file', tokenPath, assertToken)
  const statusTokenPath = tokenPath === '' ? undefined : tokenPath
  return { allowAddress, keyPath, statusTokenPath, hintsAtAccess: dev, tlsHostname }
}

function assertToken(text: string): void {
  const { length } = text.trim()
  if (length < MIN_TOKEN_LENGTH) {
    throw new Error(
      `its token has ${length} characters, needs ${MIN_TOKEN_LENGTH} or more; make one with openssl rand -hex 16`,
    )
  }
}
