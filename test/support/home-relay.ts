/** A relay on loopback with all pages for people. */

import { createDemoPages } from '../../src/web/demo/demo-pages.ts'
import { createHomePages } from '../../src/web/home/home-pages.ts'
import { createStatusPages } from '../../src/web/status/status-pages.ts'
import { ListeningRelay } from './listening-relay.ts'

export function startHomeRelay(): Promise<ListeningRelay> {
  const address = { hostname: '', stunPort: 3_478, canPort80: false }
  return ListeningRelay.start({
    pages: (shown, allows) => {
      const { readiness } = shown
      const home = { readiness, allows, address, derp: true, hasDemo: true, hasStatusToken: () => false }
      const status = createStatusPages({ ...shown, allows, readToken: () => undefined })
      return new Map([...status, ...createHomePages(home), ...createDemoPages()])
    },
  })
}
