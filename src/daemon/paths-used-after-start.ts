/** Files and folders that the daemon uses after startup. Pure. */

import { dirname } from 'node:path'
import { manualCertificatePaths } from '../tls/files/manual-certs.ts'
import type { PathUse } from './privileges.ts'
import type { DaemonSettings } from './settings.ts'

export function pathsUsedAfterStart({ admission, debug, region, tls, reloaded, upgrade }: DaemonSettings): PathUse[] {
  const read = (flag: string, path: string | undefined): PathUse[] =>
    path === undefined ? [] : [{ flag, path, use: 'read' }]
  const { daemonSocket } = admission
  return [
    ...tlsUses(tls),
    ...read('-allow-keys-file', admission.allowKeysFile),
    ...read('-deny-keys-file', admission.denyKeysFile),
    ...read('-tokens-file', admission.tokensFile),
    ...read('-nats-creds', region?.credentialsFile),
    ...read('-nats-tls-ca', region?.tls?.caFile),
    ...read('-nats-tls-cert', region?.tls?.certFile),
    ...read('-nats-tls-key', region?.tls?.keyFile),
    ...Object.entries(reloaded).flatMap(([flag, path]) => read(`-${flag}`, path)),
    ...read('TS_DEBUG_KEY_PATH', debug.keyPath),
    ...read('-status-token-file', debug.statusTokenPath),
    // It is removed at the end, and made anew when it is taken over.
    ...(upgrade === undefined
      ? []
      : [{ flag: '-control-socket', path: dirname(upgrade.controlSocket), use: 'write' as const }]),
    ...(daemonSocket === undefined || daemonSocket === ''
      ? []
      : [{ flag: '-socket', path: daemonSocket, use: 'write' as const }]),
  ]
}

function tlsUses(tls: DaemonSettings['tls']): PathUse[] {
  if (tls === undefined) return []
  const { directory, hostname, acme } = tls
  // ACME certificates are stored there.
  if (acme !== undefined) return [{ flag: '-certdir', path: directory, use: 'write' }]
  const { certificate, key } = manualCertificatePaths(directory, hostname)
  return [certificate, key].map(path => ({ flag: '-certdir', path, use: 'read' }))
}
