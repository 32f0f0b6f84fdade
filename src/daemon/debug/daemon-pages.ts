/** Pages that the daemon adds to those of its relay. */

import type { CreatePages } from '../../relay.ts'
import { createDemoPages } from '../../web/demo/demo-pages.ts'
import { createHomePages } from '../../web/home/home-pages.ts'
import { createStatusPages } from '../../web/status/status-pages.ts'
import type { DaemonSettings } from '../settings.ts'
import type { DebugSecrets } from './debug-secrets.ts'

/** What the index of the debug pages says of them. */
export const PAGE_LINKS: readonly (readonly [path: string, title: string])[] = [['/debug/status', 'Status, live']]

export function daemonPages(
  { relay, pages }: Pick<DaemonSettings, 'relay' | 'pages'>,
  secrets: Pick<DebugSecrets, 'statusToken'>,
): CreatePages {
  const { home = '', derp = true } = relay
  return (shown, allows) => {
    const status = createStatusPages({ ...shown, allows, readToken: () => secrets.statusToken })
    const demo = pages.demo ? createDemoPages() : []
    if (home !== '') return new Map([...status, ...demo])
    const hasStatusToken = () => secrets.statusToken !== undefined
    const options = {
      address: pages.address,
      hasDemo: pages.demo,
      readiness: shown.readiness,
      allows,
      derp,
      hasStatusToken,
    }
    return new Map([...status, ...demo, ...createHomePages(options)])
  }
}
