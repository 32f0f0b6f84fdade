/** Metrics of a relay, for tests of the exporters. */

import { HttpCounters } from '../../src/metrics/http-counters.ts'
import type { RelayCore } from '../../src/server/relay-core.ts'
import { CoreDebugSource } from '../../src/status/relay-view.ts'
import { type MetricReader, type MetricSources, metricReader } from '../../src/status/snapshot.ts'

/** A reader of all metrics of `core` and other sources. */
export function testMetrics(core: RelayCore, sources: Partial<MetricSources> = {}): MetricReader {
  const source = new CoreDebugSource(core)
  return metricReader({
    relay: () => source.snapshot(),
    http: new HttpCounters(),
    version: '1.2.3',
    commandLine: ['derper', '-dev'],
    tls: true,
    wallNow: () => core.options.clock.wallNow(),
    ...sources,
  })
}
