/** A relay on loopback with its home page and the demo. */

import { createDemoPages } from '../../src/web/demo/demo-pages.ts'
import { createHomePages } from '../../src/web/home/home-pages.ts'
import { ListeningRelay } from './listening-relay.ts'

export function startHomeRelay(): Promise<ListeningRelay> {
  const address = { hostname: '', stunPort: 3_478, canPort80: false }
  return ListeningRelay.start({
    pages: ({ readiness }, allows) => {
      const home = { readiness, allows, address, derp: true, hasDemo: true, hasStatusToken: () => false }
      return new Map([...createHomePages(home), ...createDemoPages()])
    },
  })
}
