import { globSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { varzShapes } from '../../scripts/metric-names.ts'
import { DROP_REASONS } from '../../src/metrics/drop-reason.ts'
import { HttpCounters } from '../../src/metrics/http-counters.ts'
import { METRIC_TABLE } from '../../src/status/metric-table.ts'
import { prometheusText } from '../../src/status/varz-prometheus.ts'
import { alertRules, checkAlert } from '../support/alerts.ts'
import { at, type Mapping, operatePages, ROOT, readText } from '../support/deploy-files.ts'
import { EXPORTED_SERIES, exportedSeries } from '../support/exported-series.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { testMetrics } from '../support/metrics.ts'
import { promqlUses } from '../support/promql.ts'
import { labelsIn, labelsOfExpression, type SeriesTable, TARGET_LABELS } from '../support/series.ts'

/** With those of the node exporter. */
const SERIES: SeriesTable = new Map([...EXPORTED_SERIES, ['up', []], ['node_network_transmit_bytes_total', ['device']]])
const labelsOf = (expression: string) => labelsOfExpression(expression, SERIES)

test('docs/operate documents every metric of our own', () => {
  const own = METRIC_TABLE.filter(({ kind, name }) => kind === 'group' && name === 'derphttp')
  const names = new Set(exportedSeries(own).map(([name]) => name.replace(/_(?:bucket|sum|count)$/, '')))
  const told = new Set(operatePages().flatMap(path => readText(path).match(/\bderphttp_\w+/g) ?? []))
  expect(names.size).toBeGreaterThan(30)
  expect([...names].filter(name => !told.has(name))).toEqual([])
})

test('docs/operate/metrics.md tells each reason of a drop, and each code of a connection that a relay ends', () => {
  const page = readText('docs/operate/metrics.md')
  const told = (heading: string) => {
    const [section = ''] = (page.split(`\n## ${heading}\n`)[1] ?? '').split('\n## ')
    const cells = Array.from(section.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm), ([, cell = '']) => cell)
    return cells.flatMap(cell => cell.replaceAll('`', '').split(', ')).toSorted()
  }
  expect(told('Why packets are dropped')).toEqual([...DROP_REASONS].toSorted())
  const sources = globSync('src/{server,protocol,admission}/**/*.ts', { cwd: ROOT }).filter(
    path => !path.includes('.test.'),
  )
  const thrown = sources.flatMap(path => readText(path).match(/'ERR_DERP_\w+'/g) ?? []).map(code => code.slice(1, -1))
  // Of settings at start, and of a client whose relay is no relay.
  const elsewhere = ['ERR_DERP_CONFIG_INVALID', 'ERR_DERP_LOGIN_MAGIC_WRONG']
  const expected = [...new Set(thrown)].filter(code => !elsewhere.includes(code)).toSorted()
  expect(told('Why connections end')).toEqual(expected)
})

test('the metric names used are those that the exporter prints (P-193)', async () => {
  const http = new HttpCounters()
  http.beginTlsRequest('1.3')
  http.proxyHeaders = { v1: 1, v2: 0, local: 0, missing: 0, malformed: 0 }
  const text = prometheusText(await testMetrics(new MemoryRelay().core, { http })())
  const shapes = Object.entries(varzShapes(text)).filter(([, { type }]) => type !== 'histogram')
  expect(shapes.length).toBeGreaterThan(50)
  for (const [name, { labels }] of shapes) {
    expect(SERIES.has(name), name).toBe(true)
    if (labels.length > 0) expect(labels, name).toEqual(SERIES.get(name))
  }
  expect(text).toContain('\nderphttp_login_ms_bucket{le="')
})

test.each([
  ['up', [['up', []]], []],
  ['a{x="1",y!~"b|c"} offset 15m > 10', [['a', ['x', 'y']]], []],
  [
    'sum by (i, j) (rate(a_b{x=~"$x"}[5m])) / 2 > 1e-3 and b',
    [
      ['a_b', ['x']],
      ['b', []],
    ],
    ['i', 'j'],
  ],
] as const)('promqlUses reads %s', (expression, selectors, groupedBy) => {
  const uses = selectors.map(([metric, labels]) => ({ metric, labels }))
  expect(promqlUses(expression)).toEqual({ selectors: uses, groupedBy })
})

describe('deploy/prometheus/alerts.yml', () => {
  const rules = alertRules('deploy/prometheus/alerts.yml')

  test.for(rules.map(rule => [rule.alert, rule] as const))('%s uses existing metrics', ([, rule]) => {
    checkAlert(rule, SERIES)
  })

  test('alert names are unique', () => {
    const names = rules.map(({ alert }) => alert)
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('deploy/grafana/derper.json', () => {
  const dashboard = JSON.parse(readText('deploy/grafana/derper.json')) as Mapping
  const panels = (at(dashboard, 'panels') as Mapping[]).filter(panel => panel['type'] !== 'row')

  test.for(panels.map(panel => [`${at(panel, 'title')} (${at(panel, 'id')})`, panel] as const))(
    '%s uses existing metrics',
    ([, panel]) => {
      for (const target of at(panel, 'targets') as Mapping[]) {
        const labels = labelsOf(at(target, 'expr') as string)
        const shown = labelsIn(at(target, 'legendFormat') as string, /\{\{(\w+)\}\}/g)
        expect([...labels, ...TARGET_LABELS]).toEqual(expect.arrayContaining(shown))
      }
    },
  )

  test('panels have unique ids and do not overlap', () => {
    const all = at(dashboard, 'panels') as Mapping[]
    expect(new Set(all.map(panel => panel['id'])).size).toBe(all.length)
    const cells = all.flatMap(panel => {
      const { x, y, w, h } = at(panel, 'gridPos') as Record<'x' | 'y' | 'w' | 'h', number>
      expect(x + w).toBeLessThanOrEqual(24)
      return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`)
    })
    expect(new Set(cells).size).toBe(cells.length)
  })

  test('relays are selected by an existing metric', () => {
    const definitions = (at(dashboard, 'templating.list') as Mapping[]).map(({ definition }) => definition)
    expect(definitions).toContain('label_values(derp_current_connections, instance)')
    expect(SERIES.has('derp_current_connections')).toBe(true)
  })
})
