/** The series that our exporter can print, with their labels. */

import { type Metric, prometheusName } from '../../src/status/metric.ts'
import { METRIC_TABLE } from '../../src/status/metric-table.ts'
import type { SeriesTable } from './series.ts'

/** Those of a part of the metrics. */
export function exportedSeries(
  metrics: readonly Metric[],
  group?: string,
): [name: string, labels: readonly string[]][] {
  return metrics
    .filter(metric => metric.without !== 'varz')
    .flatMap((metric): [string, readonly string[]][] => {
      const { name } = prometheusName(metric.name, group)
      if (metric.kind === 'group') return exportedSeries(metric.metrics, name)
      if (metric.kind === 'labelled') return [[name, [metric.label]]]
      if (metric.kind === 'multi') return [[name, metric.labels]]
      if (metric.kind === 'text') return [[name, ['version']]]
      if (metric.kind !== 'histogram') return [[name, []]]
      return [
        [`${name}_bucket`, ['le']],
        [`${name}_sum`, []],
        [`${name}_count`, []],
      ]
    })
}

/** All of them. */
export const EXPORTED_SERIES: SeriesTable = new Map(exportedSeries(METRIC_TABLE))
