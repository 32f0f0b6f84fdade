import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type VarsShape, type VarzShape, varsShapes, varzShapes } from '../../scripts/metric-names.ts'
import { HttpCounters } from '../../src/metrics/http-counters.ts'
import { expvarJson } from '../../src/status/vars-expvar.ts'
import { prometheusText } from '../../src/status/varz-prometheus.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { testMetrics } from '../support/metrics.ts'

interface MetricNames {
  readonly neverMoves: Readonly<Record<string, string>>
  readonly vars: Readonly<Record<string, VarsShape>>
  readonly varz: Readonly<Record<string, VarzShape>>
}

const golden = JSON.parse(readFileSync(new URL('metric-names.json', import.meta.url), 'utf8')) as MetricNames
/** Names of our own (P-194); everything else is the original's. */
const OWN = /^derphttp[/_]/

async function snapshot() {
  const http = new HttpCounters()
  // The capture was made over TLS, which counts requests.
  http.beginTlsRequest('1.3')
  return testMetrics(new MemoryRelay().core, { http })()
}

function withoutOwn<T>(shapes: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => !OWN.test(name)))
}

test('expvarJson has all names of the original, of the same shape, and otherwise only our own (P-192, P-194, P-196)', async () => {
  const shapes = varsShapes(expvarJson(await snapshot()))
  expect(withoutOwn(shapes)).toEqual(golden.vars)
})

test('prometheusText has all names of the original, with the same type and labels (P-193, P-194, P-195, P-196)', async () => {
  const shapes = varzShapes(prometheusText(await snapshot()))
  expect(withoutOwn(shapes)).toEqual(golden.varz)
})

test('metric-names.json lists only existing metrics as never moving (P-194)', () => {
  const names = Object.keys(golden.neverMoves).map(name => name.replace(/\{.*/, ''))
  expect(Object.keys(golden.varz)).toEqual(expect.arrayContaining(names))
})
