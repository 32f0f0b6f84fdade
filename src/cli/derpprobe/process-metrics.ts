/** Metrics of the process, under the names that `derper` has for them. */

import type { Clock } from '../../lib/clock.ts'
import { type ProcessSnapshot, ProcessWatch } from '../../status/process-watch.ts'
import { metricHeader, metricSample } from '../../status/varz-prometheus.ts'

type Row = readonly [name: string, type: 'counter' | 'gauge', help: string, read: (process: ProcessSnapshot) => number]

const ROWS: readonly Row[] = [
  ['process_cpu_seconds_total', 'counter', 'CPU time used', ({ cpuSeconds }) => cpuSeconds],
  ['process_max_fds', 'gauge', 'Maximum number of open file descriptors', ({ maxOpenFiles }) => maxOpenFiles],
  ['process_open_fds', 'gauge', 'Number of open file descriptors', ({ openFiles }) => openFiles],
  ['process_resident_memory_bytes', 'gauge', 'Resident memory size', ({ residentBytes }) => residentBytes],
  ['process_start_time_seconds', 'gauge', 'Start, since 1970', ({ startUnixSeconds }) => startUnixSeconds],
]

/** Reads them anew with each call, as text. */
export function processMetrics(clock: Pick<Clock, 'wallNow'>, version: string): () => Promise<string> {
  const watch = new ProcessWatch(() => clock.wallNow())
  return async () => {
    const snapshot = await watch.read()
    const lines = ROWS.flatMap(([name, type, help, read]) => [
      ...metricHeader(name, type, help),
      metricSample(name, read(snapshot)),
    ])
    return [...lines, metricSample('version', 1, [['version', version]])].map(line => `${line}\n`).join('')
  }
}
