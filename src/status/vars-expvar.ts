/** `/debug/vars`: all metrics as one JSON object, in the form of Go's expvar (P-192). */

import { type Metric, shownMetrics } from './metric.ts'
import { METRIC_TABLE } from './metric-table.ts'
import type { MetricSnapshot } from './snapshot.ts'

/** What the original prints for metrics with several labels (P-195). */
const MULTI_LABEL_TEXT = 'MultiLabelMap'

/** The JSON text, one line per top-level name. */
export function expvarJson(snapshot: MetricSnapshot, table: readonly Metric[] = METRIC_TABLE): string {
  const lines = entriesOf(table, snapshot).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
  return `{\n${lines.join(',\n')}\n}\n`
}

function entriesOf(metrics: readonly Metric[], snapshot: MetricSnapshot): [name: string, value: unknown][] {
  return shownMetrics(metrics, snapshot, 'vars').map(metric => [metric.name, jsonOf(metric, snapshot)])
}

function jsonOf(metric: Metric, snapshot: MetricSnapshot): unknown {
  switch (metric.kind) {
    case 'number':
    case 'text':
    case 'list':
    case 'labelled':
      return metric.read(snapshot)
    case 'multi':
      return MULTI_LABEL_TEXT
    case 'histogram': {
      const histogram = metric.read(snapshot)
      const buckets = histogram.cumulative().map(({ le, count }) => [le, count])
      return { ...Object.fromEntries(buckets), sum: histogram.sum, count: histogram.count }
    }
    case 'group':
      return Object.fromEntries(entriesOf(metric.metrics, snapshot))
  }
}
