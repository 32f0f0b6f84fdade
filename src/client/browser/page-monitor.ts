/**
 * Changes of a page's network and of its own life: online again, thawed, shown again.
 *
 * After each of them a connection may be dead without a sign of it, and one that could not be made may be possible.
 */

import type { NetworkChange, NetworkMonitor } from '../ports.ts'

/** What dispatches events: a window, a document, the global scope of a worker. */
export interface EventSource {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}

/** A document, where there is one: workers have none. */
export interface PageDocument extends EventSource {
  readonly visibilityState: string
}

export interface PageMonitorOptions {
  /** Default: the global scope. */
  readonly scope?: EventSource | undefined
  /** Default: the global document, if any. */
  readonly document?: PageDocument | undefined
}

/** Tells of changes for as long as somebody listens. */
export function createPageMonitor(options: PageMonitorOptions = {}): NetworkMonitor {
  const platform = globalThis as { readonly document?: PageDocument } & Partial<EventSource>
  const scope = options.scope ?? (platform.addEventListener === undefined ? undefined : (platform as EventSource))
  const document = options.document ?? platform.document
  return {
    subscribe(listener: (change: NetworkChange) => void): () => void {
      const tell = () => listener({})
      const onVisibility = () => {
        if (document?.visibilityState === 'visible') tell()
      }
      scope?.addEventListener('online', tell)
      // Back from the cache of pages that the user has left.
      scope?.addEventListener('pageshow', tell)
      document?.addEventListener('resume', tell)
      document?.addEventListener('visibilitychange', onVisibility)
      return () => {
        scope?.removeEventListener('online', tell)
        scope?.removeEventListener('pageshow', tell)
        document?.removeEventListener('resume', tell)
        document?.removeEventListener('visibilitychange', onVisibility)
      }
    },
  }
}
