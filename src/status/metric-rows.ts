/** Row constructors for the metric tables. */

import type { Histogram } from '../metrics/histogram.ts'
import type { Metric, Reader } from './metric.ts'

/** A counter, unless its name says otherwise. */
export function count(name: string, read: Reader<number>): Metric {
  return { kind: 'number', name, type: 'counter', read }
}

/** A number exported to Prometheus without a type, unless its name has one. */
export function number(name: string, read: Reader<number>): Metric {
  return { kind: 'number', name, read }
}

export function labelled(name: string, label: string, read: Reader<Readonly<Record<string, number>>>): Metric {
  return { kind: 'labelled', name, label, read }
}

export function histogram(name: string, read: Reader<Histogram>): Metric {
  return { kind: 'histogram', name, read }
}

export function group(name: string, metrics: readonly Metric[], when?: Reader<boolean>): Metric {
  return { kind: 'group', name, metrics, ...(when !== undefined && { when }) }
}
