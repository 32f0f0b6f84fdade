/** A relay on loopback with its home page. */

import { createHomePages } from '../../src/web/home/home-pages.ts'
import { ListeningRelay } from './listening-relay.ts'

export function startHomeRelay(): Promise<ListeningRelay> {
  const address = { hostname: '', stunPort: 3_478, canPort80: false }
  return ListeningRelay.start({
    pages: ({ readiness }, allows) =>
      createHomePages({ readiness, allows, address, derp: true, hasStatusToken: () => false }),
  })
}
