/** `/debug/varz`: all metrics in Prometheus text format, under the names of the original's exporter (P-193). */

import { type Metric, prometheusName, shownMetrics } from './metric.ts'
import { METRIC_TABLE } from './metric-table.ts'
import type { MetricSnapshot } from './snapshot.ts'

/** All metrics as text. */
export function prometheusText(snapshot: MetricSnapshot, table: readonly Metric[] = METRIC_TABLE): string {
  return `${linesOf(table, snapshot).join('\n')}\n`
}

function linesOf(metrics: readonly Metric[], snapshot: MetricSnapshot, group?: string): string[] {
  return shownMetrics(metrics, snapshot, 'varz').flatMap(metric => linesOfMetric(metric, snapshot, group))
}

function linesOfMetric(metric: Metric, snapshot: MetricSnapshot, group: string | undefined): string[] {
  const { name, type } = prometheusName(metric.name, group)
  switch (metric.kind) {
    case 'number':
      return [...metricHeader(name, type ?? metric.type, metric.help), metricSample(name, metric.read(snapshot))]
    case 'text':
      return [metricSample(name, 1, [['version', metric.read(snapshot)]])]
    case 'list':
      return []
    case 'labelled':
      return [
        ...metricHeader(name, type, metric.help),
        ...Object.entries(metric.read(snapshot)).map(([label, value]) =>
          metricSample(name, value, [[metric.label, label]]),
        ),
      ]
    case 'multi':
      return [
        ...metricHeader(name, metric.type, metric.help),
        ...metric.read(snapshot).map(({ labels, value }) => metricSample(name, value, zip(metric.labels, labels))),
      ]
    case 'histogram': {
      const histogram = metric.read(snapshot)
      return [
        ...metricHeader(name, 'histogram', metric.help),
        ...histogram.cumulative().map(({ le, count }) => metricSample(`${name}_bucket`, count, [['le', le]])),
        metricSample(`${name}_sum`, histogram.sum),
        metricSample(`${name}_count`, histogram.count),
      ]
    }
    case 'group':
      return linesOf(metric.metrics, snapshot, name)
  }
}

/** The lines before the samples of a metric. */
export function metricHeader(name: string, type: string | undefined, help: string | undefined): string[] {
  return [
    ...(help === undefined ? [] : [`# HELP ${name} ${help}`]),
    ...(type === undefined ? [] : [`# TYPE ${name} ${type}`]),
  ]
}

/** One line of the text format. */
export function metricSample(
  name: string,
  value: number,
  labels: readonly (readonly [name: string, value: string])[] = [],
): string {
  if (labels.length === 0) return `${name} ${value}`
  return `${name}{${labels.map(([label, text]) => `${label}="${escapeLabel(text)}"`).join(',')}} ${value}`
}

function zip(names: readonly string[], values: readonly string[]): [name: string, value: string][] {
  return names.map((name, at) => [name, values[at] ?? ''])
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
