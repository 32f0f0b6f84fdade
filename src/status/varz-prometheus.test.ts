import { expect, test } from 'vitest'
import { Histogram } from '../metrics/histogram.ts'
import type { Metric } from './metric.ts'
import type { MetricSnapshot } from './snapshot.ts'
import { prometheusText } from './varz-prometheus.ts'

const snapshot = { version: '1 "x"\\\n' } as unknown as MetricSnapshot
const values = new Histogram([0, 5])
values.observe(3)

function lines(...table: Metric[]): string[] {
  return prometheusText(snapshot, table).split('\n')
}

test('prometheusText uses the type of the prefix, else that of the metric, else none (P-193)', () => {
  expect(
    lines(
      { kind: 'number', name: 'gauge_b', type: 'counter', read: () => 1 },
      { kind: 'number', name: 'a', type: 'counter', help: 'All of them', read: () => 2 },
      { kind: 'number', name: 'c', read: () => 0.25 },
      { kind: 'number', name: 'd', without: 'varz', read: () => 9 },
    ),
  ).toEqual(['# HELP a All of them', '# TYPE a counter', 'a 2', '# TYPE b gauge', 'b 1', 'c 0.25', ''])
})

test('prometheusText writes quoted labels, and omits lists (P-193, P-195)', () => {
  expect(
    lines(
      { kind: 'text', name: 'version', read: ({ version }) => version },
      { kind: 'list', name: 'cmdline', without: 'varz', read: () => ['derper'] },
      { kind: 'labelled', name: 'by_version', label: 'version', read: () => ({ '1.3': 4 }) },
      {
        kind: 'multi',
        name: 'drops',
        type: 'counter',
        labels: ['reason', 'kind'],
        read: () => [{ labels: ['gone', 'disco'], value: 5 }],
      },
    ),
  ).toEqual([
    'by_version{version="1.3"} 4',
    '# TYPE drops counter',
    'drops{reason="gone",kind="disco"} 5',
    'version{version="1 \\"x\\"\\\\\\n"} 1',
    '',
  ])
})

test('prometheusText prefixes the group name, and omits a disabled group (P-193)', () => {
  const metrics: Metric[] = [{ kind: 'histogram', name: 'counter_ms', read: () => values }]
  expect(
    lines({ kind: 'group', name: 'derp', metrics }, { kind: 'group', name: 'off', metrics, when: () => false }),
  ).toEqual([
    '# TYPE derp_ms histogram',
    'derp_ms_bucket{le="0"} 0',
    'derp_ms_bucket{le="5"} 1',
    'derp_ms_bucket{le="+Inf"} 1',
    'derp_ms_sum 3',
    'derp_ms_count 1',
    '',
  ])
})
