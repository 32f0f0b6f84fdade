/** `/debug/varz`: all metrics in Prometheus text format, under the names of the original's exporter (P-193). */

import { type Metric, prometheusName, shownMetrics } from './metric.ts'
import { METRIC_TABLE } from './metric-table.ts'
import type { MetricSnapshot } from './snapshot.ts'

/** All metrics as text. */
export function prometheusText(numbers: MetricSnapshot, table: readonly Metric[] = METRIC_TABLE): string {
  return `${linesOf(table, numbers).join('\n')}\n`
}

function linesOf(metrics: readonly Metric[], numbers: MetricSnapshot, group?: string): string[] {
  return shownMetrics(metrics, numbers, 'varz').flatMap(metric => linesOfMetric(metric, numbers, group))
}

function linesOfMetric(metric: Metric, numbers: MetricSnapshot, group: string | undefined): string[] {
  const { name, type } = prometheusName(metric.name, group)
  switch (metric.kind) {
    case 'number':
      return [...header(name, type ?? metric.type, metric.help), sample(name, metric.read(numbers))]
    case 'text':
      return [sample(name, 1, [['version', metric.read(numbers)]])]
    case 'list':
      return []
    case 'labelled':
      return [
        ...header(name, type, metric.help),
        ...Object.entries(metric.read(numbers)).map(([label, value]) => sample(name, value, [[metric.label, label]])),
      ]
    case 'multi':
      return [
        ...header(name, metric.type, metric.help),
        ...metric.read(numbers).map(({ labels, value }) => sample(name, value, zip(metric.labels, labels))),
      ]
    case 'histogram': {
      const histogram = metric.read(numbers)
      return [
        ...header(name, 'histogram', metric.help),
        ...histogram.cumulative().map(({ le, count }) => sample(`${name}_bucket`, count, [['le', le]])),
        sample(`${name}_sum`, histogram.sum),
        sample(`${name}_count`, histogram.count),
      ]
    }
    case 'group':
      return linesOf(metric.metrics, numbers, name)
  }
}

function header(name: string, type: string | undefined, help: string | undefined): string[] {
  return [
    ...(help === undefined ? [] : [`# HELP ${name} ${help}`]),
    ...(type === undefined ? [] : [`# TYPE ${name} ${type}`]),
  ]
}

function sample(name: string, value: number, labels: readonly (readonly [name: string, value: string])[] = []): string {
  if (labels.length === 0) return `${name} ${value}`
  return `${name}{${labels.map(([label, text]) => `${label}="${escapeLabel(text)}"`).join(',')}} ${value}`
}

function zip(names: readonly string[], values: readonly string[]): [name: string, value: string][] {
  return names.map((name, at) => [name, values[at] ?? ''])
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
