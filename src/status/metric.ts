/**
 * One metric: its name, the sort of value behind it, and how to read the value.
 *
 * Names are those of `/debug/vars`; Prometheus' names and types follow from them (P-193).
 */

import type { Histogram } from '../metrics/histogram.ts'
import type { MetricSnapshot } from './snapshot.ts'

/** Reads a value from the numbers of one moment. */
export type Reader<T> = (numbers: MetricSnapshot) => T

/** A number and the values of its labels, in the order of the metric's label names. */
export interface LabelledNumber {
  readonly labels: readonly string[]
  readonly value: number
}

export type PrometheusType = 'counter' | 'gauge'

/** What all metrics have. */
interface Named {
  readonly name: string
  /** Which exposition leaves it out; none by default. */
  readonly without?: 'vars' | 'varz'
  readonly help?: string
  /** Whether it is shown at all; always by default. */
  readonly when?: Reader<boolean>
}

export type Metric = Named &
  (
    | {
        readonly kind: 'number'
        /** The type when the name has no prefix that tells it; with neither, the number is exported without a type. */
        readonly type?: PrometheusType
        readonly read: Reader<number>
      }
    /** A text; only one whose name ends in `version` is of use to Prometheus, as a label. */
    | { readonly kind: 'text'; readonly read: Reader<string> }
    | { readonly kind: 'list'; readonly without: 'varz'; readonly read: Reader<readonly string[]> }
    /** Numbers by one label; an object in JSON. */
    | { readonly kind: 'labelled'; readonly label: string; readonly read: Reader<Readonly<Record<string, number>>> }
    /** Numbers by several labels; JSON has only the name of the original's type (P-195). */
    | {
        readonly kind: 'multi'
        readonly type: PrometheusType
        readonly labels: readonly string[]
        readonly read: Reader<readonly LabelledNumber[]>
      }
    | { readonly kind: 'histogram'; readonly read: Reader<Histogram> }
    /** An object in JSON; Prometheus' names begin with its name. */
    | { readonly kind: 'group'; readonly metrics: readonly Metric[] }
  )

const PREFIXES = ['gauge', 'counter', 'histogram'] as const

/** Name and type for Prometheus of a metric's name, within a group of name `group` (P-193). */
export function prometheusName(name: string, group?: string): { name: string; type: PrometheusType | undefined } {
  const prefix = PREFIXES.find(candidate => name.startsWith(`${candidate}_`))
  const bare = prefix === undefined ? name : name.slice(prefix.length + 1)
  return {
    name: group === undefined ? bare : `${group}_${bare}`,
    type: prefix === 'histogram' ? undefined : prefix,
  }
}

/** The metrics that an exposition shows, in the order of their names, as the original lists them. */
export function shownMetrics(
  metrics: readonly Metric[],
  numbers: MetricSnapshot,
  exposition: 'vars' | 'varz',
): readonly Metric[] {
  const nameOf = ({ name }: Metric) => (exposition === 'vars' ? name : prometheusName(name).name)
  return metrics
    .filter(metric => metric.without !== exposition && metric.when?.(numbers) !== false)
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}
