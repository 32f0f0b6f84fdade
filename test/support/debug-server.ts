/** Debug pages of an in-memory relay, served over HTTP on loopback. */

import { createDebug, type DebugOptions } from '../../src/http/debug/debug.ts'
import { createRoutes } from '../../src/http/routes.ts'
import { createHttpListener, type HttpListenerOptions } from '../../src/listen/node/http-listener.ts'
import { CoreDebugSource } from '../../src/status/relay-view.ts'
import type { MemoryRelay } from './memory-relay.ts'
import { testMetrics } from './metrics.ts'

/** A listening server. */
export interface DebugServer extends AsyncDisposable {
  /** Without trailing slash. */
  readonly url: string
  readonly port: number
}

/** Serves the pages of `relay` on a free port. */
export async function startDebugServer(
  relay: MemoryRelay,
  options: Partial<DebugOptions> = {},
  listening: Partial<Pick<HttpListenerOptions, 'idleTimeoutMs' | 'acceptTimeoutMs'>> = {},
): Promise<DebugServer> {
  const debug = createDebug({
    source: new CoreDebugSource(relay.core),
    metrics: testMetrics(relay.core),
    clock: relay.clock,
    ...options,
  })
  const listener = createHttpListener({
    routes: createRoutes({ debug }),
    acceptTimeoutMs: 10_000,
    ...listening,
  })
  const { port } = await listener.listen(0, '127.0.0.1')
  return { url: `http://127.0.0.1:${port}`, port, [Symbol.asyncDispose]: () => listener.close() }
}
