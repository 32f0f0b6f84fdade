/** What watches relays from outside: files of deploy/prometheus, against what derpprobe exports and a relay answers. */

import { X509Certificate } from 'node:crypto'
import { basename } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { varzSamples } from '../../scripts/metric-names.ts'
import { probeRoutes } from '../../src/cli/derpprobe/probe-routes.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { HttpReply } from '../../src/listen/http-service.ts'
import { DerpProber } from '../../src/monitor/derp-prober.ts'
import type { MonitorPorts } from '../../src/monitor/ports.ts'
import { Prober } from '../../src/monitor/prober.ts'
import { alertRules, checkAlert } from '../support/alerts.ts'
import { at, deployPaths, type Mapping, readText, readYaml } from '../support/deploy-files.ts'
import { httpRequest } from '../support/http-request.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { MonitorRegion } from '../support/monitor-region.ts'
import type { SeriesTable } from '../support/series.ts'
import { settle, until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'

/** Of the blackbox exporter. */
const BLACKBOX: SeriesTable = new Map([
  ['probe_success', []],
  ['probe_duration_seconds', []],
  ['probe_ssl_earliest_cert_expiry', []],
])
const RULES = alertRules('deploy/prometheus/probe-alerts.yml')
const [PROMETHEUS] = readYaml('deploy/prometheus/prometheus.yml')
const [BLACKBOX_FILE] = readYaml('deploy/prometheus/blackbox.yml')
const JOBS = at(PROMETHEUS, 'scrape_configs') as Mapping[]

/** What derpprobe exports with all kinds of probes. */
async function derpprobeSeries(): Promise<SeriesTable> {
  const region = new MonitorRegion()
  await region.mesh()
  const { certificate } = await (await TestCa.create()).issue({ dns: ['1a.test'] })
  const ports: MonitorPorts = {
    ...region.ports,
    handshake: async () => ({ peerCertificates: [new X509Certificate(certificate)], pin: undefined }),
    askStun: async () => {},
  }
  const { clock } = region
  const prober = new Prober({ clock, log: silentLog, isSpread: false, isOnce: false })
  const every = 15_000
  const intervals = { mapIntervalMs: every, tlsIntervalMs: every, stunIntervalMs: every, meshIntervalMs: every }
  const bandwidth = { intervalMs: every, sizeBytes: 1_000 }
  const queueDelay = { packetsPerSecond: 10, packetTimeoutMs: 5_000 }
  const derp = new DerpProber(prober, ports, { ...intervals, bandwidth, queueDelay })
  derp.start()
  let isOver = false
  const moving = (async () => {
    for (; !isOver; await settle()) clock.advance(1)
  })()
  try {
    const access = { ranges: undefined }
    const routes = probeRoutes({ prober, derp, ports, logins: undefined, version: '1', access })
    const text = async () => {
      const reply = (await routes.answer(
        httpRequest({ target: '/debug/varz', headers: {}, from: '127.0.0.1' }),
      )) as HttpReply
      return typeof reply.body === 'string' ? reply.body : ''
    }
    await until(
      () =>
        prober.probes.length > 9 &&
        prober.probes.every(({ info, isContinuous }) => isContinuous || info.endedAtMs !== undefined),
      'all have run',
    )
    const series = new Map<string, string[]>()
    for (const { name, labels } of varzSamples(await text())) {
      const known = series.get(name) ?? []
      const names = Array.from(labels.matchAll(/([a-zA-Z_]\w*)="/g), ([, label = '']) => label)
      series.set(name, [...new Set([...known, ...names])])
    }
    return series
  } finally {
    isOver = true
    await moving
    await prober.close()
  }
}

describe('deploy/prometheus/probe-alerts.yml', () => {
  let series: SeriesTable
  beforeAll(async () => {
    series = new Map([...(await derpprobeSeries()), ...BLACKBOX, ['up', []]])
  })

  test.for(RULES.map(rule => [rule.alert, rule] as const))('%s uses existing metrics', ([, rule]) => {
    checkAlert(rule, series)
  })

  test('each alert has a runbook in docs/operate/alerts.md, and each runbook an alert', () => {
    const files = ['deploy/prometheus/alerts.yml', 'deploy/prometheus/probe-alerts.yml']
    const names = files.flatMap(path => alertRules(path).map(({ alert }) => alert))
    expect(new Set(names).size).toBe(names.length)
    const sections = readText('docs/operate/alerts.md').split(/^##+ /m)
    const runbooks = sections
      .filter(text => /\*\*See\*\*[\s\S]*\*\*[Dd]o\*\*/.test(text))
      .map(text => text.split('\n')[0])
    expect(runbooks.length).toBe(names.length)
    expect(new Set(runbooks)).toEqual(new Set(names))
  })
})

describe('deploy/prometheus/prometheus.yml', () => {
  const names = JOBS.map(job => at(job, 'job_name') as string)

  test('has each job that alerts select', () => {
    const rules = [...RULES, ...alertRules('deploy/prometheus/alerts.yml')]
    const selected = rules.flatMap(({ expr }) => Array.from(expr.matchAll(/job=~?"([^"]+)"/g), ([, job = '']) => job))
    expect(selected.length).toBeGreaterThan(5)
    for (const job of selected)
      expect(
        names.some(name => new RegExp(`^(?:${job})$`).test(name)),
        job,
      ).toBe(true)
  })

  test('loads all rule files beside it', () => {
    const files = deployPaths().filter(path => /^deploy\/prometheus\/.*alerts\.yml$/.test(path))
    expect(at(PROMETHEUS, 'rule_files')).toEqual(files.map(path => basename(path)))
  })

  test('asks the blackbox exporter for modules that it has', () => {
    const modules = JOBS.flatMap(job => ('params' in job ? (at(job, 'params.module') as string[]) : []))
    expect(modules.toSorted()).toEqual(Object.keys(at(BLACKBOX_FILE, 'modules') as Mapping).toSorted())
  })
})

describe('deploy/prometheus/blackbox.yml', () => {
  let relay: ListeningRelay
  beforeAll(async () => {
    relay = await ListeningRelay.start()
  })
  afterAll(() => relay[Symbol.asyncDispose]())

  const jobs = JOBS.filter(job => 'params' in job).map(job => {
    const [module = ''] = at(job, 'params.module') as string[]
    return [module, at(job, 'static_configs.0.targets.0') as string] as const
  })

  test.for(jobs)('our relay passes %s', async ([module, target]) => {
    const http = at(BLACKBOX_FILE, `modules.${module}.http`) as Mapping
    const headers = (http['headers'] ?? {}) as Record<string, string>
    const response = await fetch(`http://127.0.0.1:${relay.port}${new URL(target).pathname}`, {
      headers,
      redirect: 'manual',
    })
    expect(http['valid_status_codes']).toContain(response.status)
    const body = await response.text()
    for (const pattern of (http['fail_if_body_not_matches_regexp'] ?? []) as string[])
      expect(body).toMatch(new RegExp(pattern))
    for (const { header = '', regexp = '' } of (http['fail_if_header_not_matches'] ?? []) as Record<string, string>[])
      expect(response.headers.get(header)).toMatch(new RegExp(regexp))
    expect(http['fail_if_not_ssl'] ?? false).toBe(target.startsWith('https:'))
  })
})

test('the keyword of the Uptime Kuma recipe is what /readyz says of a degraded relay, and only then', async () => {
  const [, keyword = ''] = /keyword `(\w+)`/.exec(readText('deploy/README.md')) ?? []
  let problem: string | undefined
  await using server = await ListeningRelay.start()
  server.relay.readiness.add({ name: 'mesh', problem: () => problem, degradesOnly: true })
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/readyz`)
    return { status: response.status, hasKeyword: (await response.text()).includes(keyword) }
  }
  expect(await ask()).toEqual({ status: 200, hasKeyword: false })
  problem = 'no link'
  expect(await ask()).toEqual({ status: 200, hasKeyword: true })
})
