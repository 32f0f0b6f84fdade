/** Resilient clients as pages have them: they know when a page was frozen, and when it is back. */

import { ResilientClient } from '../resilient/resilient-client.ts'
import type { ResilientClientOptions } from '../resilient/resilient-options.ts'
import { ResilientRegionClient, type ResilientRegionOptions } from '../resilient/resilient-region.ts'
import { pageClock } from './page-clock.ts'
import { createPageMonitor } from './page-monitor.ts'

/**
 * A {@link ResilientClient} whose clock and network monitor are by default those of the page.
 *
 * @example
 * ```ts
 * const client = new ResilientClient({ targets: [url], createClient: target => new Client(privateKey, target) })
 * client.events.on('state', ({ state, reason }) => console.log(state, reason))
 * for await (const message of client) console.log(message.type)
 * ```
 */
export class PageResilientClient<T> extends ResilientClient<T> {
  /** Opens nothing yet. @throws DerpError for an option that is out of bounds. */
  constructor(options: ResilientClientOptions<T>) {
    super(ofPage(options))
  }
}

/**
 * A {@link ResilientRegionClient} whose clock and network monitor are by default those of the page.
 *
 * @example
 * ```ts
 * const client = new ResilientRegionClient({
 *   map,
 *   regionId: 900,
 *   createClient: getRegion => new RegionClient(privateKey, getRegion),
 * })
 * ```
 */
export class PageResilientRegionClient extends ResilientRegionClient {
  /** Opens nothing yet. @throws DerpError for an option that is out of bounds. */
  constructor(options: ResilientRegionOptions) {
    super(ofPage(options))
  }
}

function ofPage<Options extends Pick<ResilientClientOptions<never>, 'clock' | 'netMon'>>(options: Options): Options {
  return { ...options, clock: options.clock ?? pageClock, netMon: options.netMon ?? createPageMonitor() }
}
