/**
 * Changes of a page's network and lifecycle: online, resumed, visible.
 *
 * After each of these a connection may be silently dead, and one that failed before may succeed.
 */

import type { NetworkChange, NetworkMonitor } from '../ports.ts'

/** Where the events of a page come from: a window, a document, the global scope of a worker. */
export interface PageEvents {
  /** As of `EventTarget`. */
  addEventListener(type: string, listener: () => void): void
  /** As of `EventTarget`. */
  removeEventListener(type: string, listener: () => void): void
}

/** A document; workers have none. */
export interface PageDocument extends PageEvents {
  /** `visible` or `hidden`. */
  readonly visibilityState: string
}

/** Options of {@link createPageMonitor}. */
export interface PageMonitorOptions {
  /** Tells of `online` and of pages that are resumed. Default: the global scope. */
  readonly scope?: PageEvents | undefined
  /** Tells when it is shown again. Default: the global document, if any. */
  readonly document?: PageDocument | undefined
}

/**
 * Creates a network monitor. It observes the page only while there are listeners.
 *
 * @example
 * ```ts
 * const stop = createPageMonitor().subscribe(() => console.log('online, resumed or shown again'))
 * stop()
 * ```
 */
export function createPageMonitor(options: PageMonitorOptions = {}): NetworkMonitor {
  const platform = globalThis as { readonly document?: PageDocument } & Partial<PageEvents>
  const scope: Partial<PageEvents> = options.scope ?? platform
  const document = options.document ?? platform.document
  return {
    subscribe(listener: (change: NetworkChange) => void): () => void {
      const tell = () => listener({})
      const onVisibility = () => {
        if (document?.visibilityState === 'visible') tell()
      }
      const listeners = [
        [scope, 'online', tell],
        // Restored from the back/forward cache.
        [scope, 'pageshow', tell],
        [document, 'resume', tell],
        [document, 'visibilitychange', onVisibility],
      ] as const
      for (const [source, type, onEvent] of listeners) source?.addEventListener?.(type, onEvent)
      return () => {
        for (const [source, type, onEvent] of listeners) source?.removeEventListener?.(type, onEvent)
      }
    },
  }
}
