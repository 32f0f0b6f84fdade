import { expect, test } from 'vitest'
import { junitText } from './junit.ts'
import type { ProbeInfo } from './probe-info.ts'
import { reportOf } from './report.ts'

const infoOf = (name: string, more: Partial<ProbeInfo> = {}): ProbeInfo => ({
  name,
  class: 'tls',
  intervalMs: 15_000,
  labels: { region: 'lab' },
  startedAtMs: 1_000,
  endedAtMs: 2_000,
  latencyMs: 12.345_678,
  status: 'succeeded',
  error: undefined,
  notes: [],
  recentResults: [true],
  recentLatenciesMs: [12.345_678],
  ...more,
})

const report = reportOf({
  startedAtMs: Date.UTC(2026, 0, 1),
  endedAtMs: Date.UTC(2026, 0, 1, 0, 0, 2),
  map: 'local',
  infos: [
    infoOf('good', { notes: ['not asked'] }),
    infoOf('bad', { latencyMs: undefined, error: 'refused: "<&>"\n\u0000', status: 'failed' }),
    infoOf('not yet', { endedAtMs: undefined, latencyMs: undefined, status: 'running' }),
  ],
})

test('reportOf counts probes that have run, and leaves out the others', () => {
  expect(report).toEqual({
    version: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:00:02.000Z',
    map: 'local',
    good: 1,
    bad: 1,
    probes: [
      {
        name: 'good',
        class: 'tls',
        labels: { region: 'lab' },
        result: 'good',
        latencyMs: 12.346,
        notes: ['not asked'],
      },
      {
        name: 'bad',
        class: 'tls',
        labels: { region: 'lab' },
        result: 'bad',
        error: 'refused: "<&>"\n\u0000',
        notes: [],
      },
    ],
  })
})

test('junitText makes a test case of each probe, and escapes what XML cannot have', () => {
  expect(junitText(report)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1" errors="0" skipped="0" time="2.000">
  <testsuite name="derpprobe" tests="2" failures="1" errors="0" skipped="0" time="2.000" timestamp="2026-01-01T00:00:00.000Z">
    <testcase name="good" classname="tls" time="0.012">
      <system-out>not asked</system-out>
    </testcase>
    <testcase name="bad" classname="tls" time="0.000">
      <failure message="refused: &quot;&lt;&amp;&gt;&quot;&#10;?"/>
    </testcase>
  </testsuite>
</testsuites>
`)
})
