/** All probes as Prometheus text, under the names of the original. Pure. */

import type { Histogram } from '../metrics/histogram.ts'
import type { PrometheusType } from '../status/metric.ts'
import { metricHeader, metricSample } from '../status/varz-prometheus.ts'
import type { Probe } from './probe.ts'

/** A metric with its samples, one for each probe that has it. */
interface Family {
  readonly name: string
  readonly help: string
  readonly type: PrometheusType | 'histogram'
  readonly samples: readonly Sample[]
}

type LabelPairs = readonly (readonly [name: string, value: string])[]

interface Sample {
  readonly labels: LabelPairs
  readonly value: number | Histogram
}

const OUTCOMES = ['fail', 'ok'] as const

/** @param namespace prefix of all names. */
export function probeMetrics(probes: readonly Probe[], namespace = 'derpprobe'): string {
  const lines = familiesOf(probes)
    .filter(({ samples }) => samples.length > 0)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(family => familyLines(`${namespace}_${family.name}`, family))
  return lines.map(line => `${line}\n`).join('')
}

function familiesOf(probes: readonly Probe[]): Family[] {
  const ended = probes.filter(({ info, isContinuous }) => info.endedAtMs !== undefined || isContinuous)
  const gauge = (
    name: string,
    help: string,
    of: readonly Probe[],
    read: (probe: Probe) => number | undefined,
  ): Family => ({
    name,
    help,
    type: 'gauge',
    samples: of.flatMap(probe => {
      const value = read(probe)
      return value === undefined ? [] : [{ labels: labelsOf(probe), value }]
    }),
  })
  const counter = (name: string, help: string, read: (probe: Probe) => { ok: number; fail: number }): Family => ({
    name,
    help,
    type: 'counter',
    samples: ended
      .filter(({ info }) => info.endedAtMs !== undefined)
      .flatMap(probe => OUTCOMES.map(status => ({ labels: labelsOf(probe, { status }), value: read(probe)[status] }))),
  })
  return [
    gauge('interval_secs', 'Probe interval in seconds', probes, ({ plan }) => plan.intervalMs / 1_000),
    gauge('in_flight', 'Number of probes currently running', probes, ({ inFlight }) => inFlight),
    gauge('start_secs', 'Latest probe start time (seconds since epoch)', probes, ({ info }) =>
      seconds(info.startedAtMs),
    ),
    gauge('end_secs', 'Latest probe end time (seconds since epoch)', ended, ({ info }) => seconds(info.endedAtMs)),
    gauge('result', 'Latest probe result (1 = success, 0 = failure)', ended, resultOf),
    gauge('latency_millis', 'Latest probe latency (ms)', ended, ({ info }) => info.latencyMs),
    counter('attempts_total', 'Total number of probing attempts', ({ counters }) => counters.attempts),
    counter('seconds_total', 'Total amount of time spent executing the probe', ({ counters }) => counters.seconds),
    ...ownFamilies(ended),
  ]
}

/** A continuous probe has no result before it fails, and is well while it runs. */
function resultOf({ info, isContinuous, inFlight }: Probe): number | undefined {
  if (isContinuous) return inFlight > 0 ? 1 : info.error === undefined ? undefined : 0
  return info.error === undefined ? 1 : 0
}

/** The metrics that only some kinds of probes have. */
function ownFamilies(probes: readonly Probe[]): Family[] {
  const families = new Map<string, Omit<Family, 'samples'> & { samples: Sample[] }>()
  for (const probe of probes) {
    for (const { value, ...head } of probe.metrics) {
      const family = families.get(head.name) ?? { ...head, samples: [] }
      families.set(head.name, family)
      family.samples.push({ labels: labelsOf(probe), value })
    }
  }
  return [...families.values()]
}

/** By name, as the original's library sorts them. */
function labelsOf({ plan, labels }: Probe, more: Readonly<Record<string, string>> = {}): LabelPairs {
  const all = { name: plan.name, class: plan.probeClass.class, ...labels, ...more }
  return Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1_000)
}

function familyLines(name: string, { help, type, samples }: Family): string[] {
  return [
    ...metricHeader(name, type, help),
    ...samples.flatMap(({ labels, value }) => {
      if (typeof value === 'number') return [metricSample(name, value, labels)]
      const buckets = value
        .cumulative()
        .map(({ le, count }) => metricSample(`${name}_bucket`, count, [...labels, ['le', le]]))
      return [
        ...buckets,
        metricSample(`${name}_sum`, value.sum, labels),
        metricSample(`${name}_count`, value.count, labels),
      ]
    }),
  ]
}
