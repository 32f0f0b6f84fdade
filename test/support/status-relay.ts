/** A relay on loopback with its status page. */

import { createStatusPages } from '../../src/web/status/status-pages.ts'
import { ListeningRelay, type ListeningRelayOptions } from './listening-relay.ts'

export interface StatusRelayOptions extends ListeningRelayOptions {
  /** Opens the page to bearers. */
  readonly token?: () => string | undefined
}

export function startStatusRelay({
  token = () => undefined,
  ...options
}: StatusRelayOptions = {}): Promise<ListeningRelay> {
  return ListeningRelay.start({
    ...options,
    pages: (shown, allows) => createStatusPages({ ...shown, allows, readToken: token }),
  })
}
