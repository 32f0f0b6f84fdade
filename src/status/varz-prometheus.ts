/** `/debug/varz`: all metrics in Prometheus text format, under the names of the original's exporter (P-193). */

import type { Histogram } from '../metrics/histogram.ts'
import { type Metric, prometheusName, shownMetrics } from './metric.ts'
import { METRIC_TABLE } from './metric-table.ts'
import type { MetricSnapshot } from './snapshot.ts'

/** One metric with all its values, in the order of the text. */
interface Family {
  readonly name: string
  readonly type?: string | undefined
  readonly help?: string | undefined
  readonly samples: readonly Sample[]
}

/** Name and labels as in the text, and the value. */
type Sample = readonly [id: string, value: number]

/** All metrics in the text format of Prometheus. */
export function prometheusText(snapshot: MetricSnapshot, table: readonly Metric[] = METRIC_TABLE): string {
  const lines = familiesOf(table, snapshot).flatMap(family => [
    ...metricHeader(family.name, family.type, family.help),
    ...family.samples.map(([id, value]) => `${id} ${value}`),
  ])
  return `${lines.join('\n')}\n`
}

/** All values by name and labels, as each stands in the text: `derp_packets_sent`, `stun_requests{disposition="success"}`. */
export function prometheusSamples(snapshot: MetricSnapshot): ReadonlyMap<string, number> {
  return new Map(familiesOf(METRIC_TABLE, snapshot).flatMap(({ samples }) => samples))
}

function familiesOf(metrics: readonly Metric[], snapshot: MetricSnapshot, group?: string): Family[] {
  return shownMetrics(metrics, snapshot, 'varz').flatMap(metric => familiesOfMetric(metric, snapshot, group))
}

function familiesOfMetric(metric: Metric, snapshot: MetricSnapshot, group: string | undefined): Family[] {
  const { name, type } = prometheusName(metric.name, group)
  const { help } = metric
  switch (metric.kind) {
    case 'number':
      return [{ name, type: type ?? metric.type, help, samples: [sample(name, metric.read(snapshot))] }]
    case 'text':
      return [{ name, samples: [sample(name, 1, [['version', metric.read(snapshot)]])] }]
    case 'list':
      return []
    case 'labelled': {
      const values = Object.entries(metric.read(snapshot))
      return [
        { name, type, help, samples: values.map(([label, value]) => sample(name, value, [[metric.label, label]])) },
      ]
    }
    case 'multi': {
      const values = metric.read(snapshot)
      const samples = values.map(({ labels, value }) => sample(name, value, zip(metric.labels, labels)))
      return [{ name, type: metric.type, help, samples }]
    }
    case 'histogram':
      return [{ name, type: 'histogram', help, samples: samplesOfHistogram(name, metric.read(snapshot)) }]
    case 'group':
      return familiesOf(metric.metrics, snapshot, name)
  }
}

function samplesOfHistogram(name: string, histogram: Histogram): Sample[] {
  return [
    ...histogram.cumulative().map(({ le, count }) => sample(`${name}_bucket`, count, [['le', le]])),
    sample(`${name}_sum`, histogram.sum),
    sample(`${name}_count`, histogram.count),
  ]
}

/** The lines before the samples of a metric. */
export function metricHeader(name: string, type: string | undefined, help: string | undefined): string[] {
  return [
    ...(help === undefined ? [] : [`# HELP ${name} ${help}`]),
    ...(type === undefined ? [] : [`# TYPE ${name} ${type}`]),
  ]
}

type Labels = readonly (readonly [name: string, value: string])[]

/** One line of the text format. */
export function metricSample(name: string, value: number, labels: Labels = []): string {
  return sample(name, value, labels).join(' ')
}

function sample(name: string, value: number, labels: Labels = []): Sample {
  if (labels.length === 0) return [name, value]
  return [`${name}{${labels.map(([label, text]) => `${label}="${escapeLabel(text)}"`).join(',')}}`, value]
}

function zip(names: readonly string[], values: readonly string[]): [name: string, value: string][] {
  return names.map((name, at) => [name, values[at] ?? ''])
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
