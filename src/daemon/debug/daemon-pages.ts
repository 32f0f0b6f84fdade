/** Pages that the daemon adds to those of its relay. */

import type { CreatePages } from '../../relay.ts'
import { createStatusPages } from '../../web/status/status-pages.ts'
import type { DebugSecrets } from './debug-secrets.ts'

/** What the index of the debug pages says of them. */
export const PAGE_LINKS: readonly (readonly [path: string, title: string])[] = [['/debug/status', 'Status, live']]

export function daemonPages(secrets: Pick<DebugSecrets, 'statusToken'>): CreatePages {
  return (shown, allows) => createStatusPages({ ...shown, allows, readToken: () => secrets.statusToken })
}
