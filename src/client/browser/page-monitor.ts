/**
 * Changes of a page's network and lifecycle: online, resumed, visible.
 *
 * After each of these a connection may be silently dead, and one that failed before may succeed.
 */

import type { NetworkChange, NetworkMonitor } from '../ports.ts'

/** An event source: a window, a document, the global scope of a worker. */
export interface EventSource {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}

/** A document; workers have none. */
export interface PageDocument extends EventSource {
  readonly visibilityState: string
}

export interface PageMonitorOptions {
  /** Default: the global scope. */
  readonly scope?: EventSource | undefined
  /** Default: the global document, if any. */
  readonly document?: PageDocument | undefined
}

/** Creates a network monitor. It observes the page only while there are listeners. */
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
      // Restored from the back/forward cache.
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
