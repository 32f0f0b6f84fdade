/** `/debug/vars`: all metrics as one JSON object, in the form of Go's expvar (P-192). */

import { type Metric, shownMetrics } from './metric.ts'
import { METRIC_TABLE } from './metric-table.ts'
import type { MetricSnapshot } from './snapshot.ts'

/** What the original prints for metrics with several labels (P-195). */
const MULTI_LABEL_TEXT = 'MultiLabelMap'

/** The JSON text, one line per top-level name. */
export function expvarJson(numbers: MetricSnapshot, table: readonly Metric[] = METRIC_TABLE): string {
  const lines = entriesOf(table, numbers).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
  return `{\n${lines.join(',\n')}\n}\n`
}

function entriesOf(metrics: readonly Metric[], numbers: MetricSnapshot): [name: string, value: unknown][] {
  return shownMetrics(metrics, numbers, 'vars').map(metric => [metric.name, jsonOf(metric, numbers)])
}

function jsonOf(metric: Metric, numbers: MetricSnapshot): unknown {
  switch (metric.kind) {
    case 'number':
    case 'text':
    case 'list':
    case 'labelled':
      return metric.read(numbers)
    case 'multi':
      return MULTI_LABEL_TEXT
    case 'histogram': {
      const histogram = metric.read(numbers)
      const buckets = histogram.cumulative().map(({ le, count }) => [le, count])
      return { ...Object.fromEntries(buckets), sum: histogram.sum, count: histogram.count }
    }
    case 'group':
      return Object.fromEntries(entriesOf(metric.metrics, numbers))
  }
}
