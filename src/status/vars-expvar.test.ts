import { expect, test } from 'vitest'
import { Histogram } from '../metrics/histogram.ts'
import type { Metric } from './metric.ts'
import type { MetricSnapshot } from './snapshot.ts'
import { expvarJson } from './vars-expvar.ts'

const snapshot = { version: '1' } as unknown as MetricSnapshot
const values = new Histogram([0, 5])
values.observe(3)

test('expvarJson writes one line per name, sorted by name (P-192)', () => {
  const table: Metric[] = [
    { kind: 'text', name: 'version', read: ({ version }) => version },
    { kind: 'list', name: 'cmdline', without: 'varz', read: () => ['derper', '-dev'] },
    { kind: 'number', name: 'count', read: () => 3 },
    { kind: 'number', name: 'gauge_half', read: () => 0.5 },
    { kind: 'number', name: 'hidden', without: 'vars', read: () => 1 },
  ]
  expect(expvarJson(snapshot, table)).toBe(
    '{\n"cmdline": ["derper","-dev"],\n"count": 3,\n"gauge_half": 0.5,\n"version": "1"\n}\n',
  )
})

test('expvarJson writes groups and labels as objects, histograms with buckets, and only the type name for several labels (P-192, P-195)', () => {
  const table: Metric[] = [
    {
      kind: 'group',
      name: 'derp',
      metrics: [
        { kind: 'labelled', name: 'counter_kind', label: 'kind', read: () => ({ disco: 1, other: 2 }) },
        { kind: 'histogram', name: 'histogram_ms', read: () => values },
      ],
    },
    { kind: 'group', name: 'off', metrics: [], when: () => false },
    { kind: 'multi', name: 'drops', type: 'counter', labels: ['reason'], read: () => [] },
  ]
  expect(JSON.parse(expvarJson(snapshot, table))).toEqual({
    derp: { counter_kind: { disco: 1, other: 2 }, histogram_ms: { '0': 0, '5': 1, '+Inf': 1, sum: 3, count: 1 } },
    drops: 'MultiLabelMap',
  })
})
