/**
 * One metric: its name, the kind of value, and how to read it.
 *
 * Names are those of `/debug/vars`; Prometheus' names and types follow from them (P-193).
 */

import type { Histogram } from '../metrics/histogram.ts'
import type { MetricSnapshot } from './snapshot.ts'

/** Reads a value from a snapshot. */
export type Reader<T> = (snapshot: MetricSnapshot) => T

/** A number and its label values, in the order of the metric's label names. */
export interface LabelledNumber {
  readonly labels: readonly string[]
  readonly value: number
}

export type PrometheusType = 'counter' | 'gauge'

interface Named {
  readonly name: string
  /** The exposition that omits it; none by default. */
  readonly without?: 'vars' | 'varz'
  readonly help?: string
  /** Whether it is exported. Default: always. */
  readonly when?: Reader<boolean>
}

export type Metric = Named &
  (
    | {
        readonly kind: 'number'
        /** The type if the name has no prefix for it; without either, the number is exported untyped. */
        readonly type?: PrometheusType
        readonly read: Reader<number>
      }
    /** A text; Prometheus only gets those whose name ends in `version`, as a label. */
    | { readonly kind: 'text'; readonly read: Reader<string> }
    | { readonly kind: 'list'; readonly without: 'varz'; readonly read: Reader<readonly string[]> }
    /** Numbers by one label; an object in JSON. */
    | { readonly kind: 'labelled'; readonly label: string; readonly read: Reader<Readonly<Record<string, number>>> }
    /** Numbers by several labels; in JSON only the original's type name (P-195). */
    | {
        readonly kind: 'multi'
        readonly type: PrometheusType
        readonly labels: readonly string[]
        readonly read: Reader<readonly LabelledNumber[]>
      }
    | { readonly kind: 'histogram'; readonly read: Reader<Histogram> }
    /** An object in JSON; a name prefix for Prometheus. */
    | { readonly kind: 'group'; readonly metrics: readonly Metric[] }
  )

const PREFIXES = ['gauge', 'counter', 'histogram'] as const

/** Prometheus name and type of a metric, within the group named `group` (P-193). */
export function prometheusName(name: string, group?: string): { name: string; type: PrometheusType | undefined } {
  const prefix = PREFIXES.find(candidate => name.startsWith(`${candidate}_`))
  const bare = prefix === undefined ? name : name.slice(prefix.length + 1)
  return {
    name: group === undefined ? bare : `${group}_${bare}`,
    type: prefix === 'histogram' ? undefined : prefix,
  }
}

/** The metrics of an exposition sorted by name, as in the original. */
export function shownMetrics(
  metrics: readonly Metric[],
  snapshot: MetricSnapshot,
  exposition: 'vars' | 'varz',
): readonly Metric[] {
  const nameOf = ({ name }: Metric) => (exposition === 'vars' ? name : prometheusName(name).name)
  return metrics
    .filter(metric => metric.without !== exposition && metric.when?.(snapshot) !== false)
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}
