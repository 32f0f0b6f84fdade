/** Files and folders that a running daemon comes back to. Pure. */

import type { DerperSettings } from '../cli/derper/derper-settings.ts'
import { manualCertificatePaths } from '../tls/files/manual-certs.ts'
import type { LaterUse } from './privileges.ts'

/** What `settings` and the variable `TS_DEBUG_KEY_PATH` have it use later on. */
export function laterUses(settings: DerperSettings, debugKeyPath: string | undefined): LaterUse[] {
  const { admission, rateConfigFile, tls, configFile } = settings
  const read = (flag: string, path: string | undefined): LaterUse[] =>
    path === undefined ? [] : [{ flag, path, use: 'read' }]
  const { daemonSocket } = admission
  return [
    ...tlsUses(tls),
    ...read('-rate-config', rateConfigFile),
    ...read('-allow-keys-file', admission.allowKeysFile),
    ...read('-deny-keys-file', admission.denyKeysFile),
    ...read('-tokens-file', admission.tokensFile),
    ...read('-config', configFile),
    ...read('TS_DEBUG_KEY_PATH', debugKeyPath),
    ...(daemonSocket === undefined || daemonSocket === ''
      ? []
      : [{ flag: '-socket', path: daemonSocket, use: 'write' as const }]),
  ]
}

function tlsUses(tls: DerperSettings['tls']): LaterUse[] {
  if (tls === undefined) return []
  const { directory, hostname, acme } = tls
  // An authority's certificates are stored there.
  if (acme !== undefined) return [{ flag: '-certdir', path: directory, use: 'write' }]
  const { certificate, key } = manualCertificatePaths(directory, hostname)
  return [certificate, key].map(path => ({ flag: '-certdir', path, use: 'read' }))
}
