/** The metrics listener: contents and access. */

import { expect, test } from 'vitest'
import type { MetricsAccess } from '../../src/http/metrics/metrics-access.ts'
import { createMetricsListener } from '../../src/http/metrics/metrics-listener.ts'
import { CidrList } from '../../src/listen/cidr-list.ts'
import { Readiness } from '../../src/status/readiness.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { testMetrics } from '../support/metrics.ts'
import { request } from '../support/raw-http.ts'

const TOKEN = 'metrics-token-0123456789'

/** Serves a relay's metrics; `access` can be changed. */
async function serve(access: MetricsAccess = {}) {
  const relay = new MemoryRelay()
  const readiness = new Readiness([{ name: 'draining', problem: () => (relay.core.isClosed ? 'it ends' : undefined) }])
  const served = { access }
  const listener = createMetricsListener({
    metrics: testMetrics(relay.core),
    readiness,
    access: () => served.access,
  })
  const { port } = await listener.listen(0, '127.0.0.1')
  const ask = async (line: string, headers: readonly string[] = []) => {
    const { status, headers: answered, body } = await request(port, line, headers)
    return { status, headers: answered, body: body.toString() }
  }
  return { relay, served, ask, [Symbol.asyncDispose]: () => listener.close() }
}

test('metrics listener serves metrics in both formats, health, and nothing else (P-172)', async () => {
  await using server = await serve()
  const { ask, relay } = server
  await relay.login()
  const metrics = await ask('GET /metrics')
  expect([metrics.status, metrics.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ])
  expect(metrics.body).toContain('\nderp_current_connections 1\n')
  const vars = JSON.parse((await ask('GET /debug/vars')).body) as { derp: Record<string, unknown> }
  expect(vars.derp).toMatchObject({ gauge_current_connections: 1 })
  expect(await ask('GET /healthz')).toMatchObject({ status: 200, body: 'ok\n' })
  for (const path of ['/', '/derp', '/derp/probe', '/debug/', '/debug/clients', '/generate_204', '/bootstrap-dns']) {
    expect((await ask(`GET ${path}`)).status).toBe(404)
  }
  const upgrade = await ask('GET /derp', ['Connection: Upgrade', 'Upgrade: DERP'])
  expect(upgrade.status).toBe(404)
})

test('metrics listener by default serves only loopback, and no forwarded requests (P-173)', async () => {
  await using server = await serve()
  expect((await server.ask('GET /metrics')).status).toBe(200)
  expect((await server.ask('GET /metrics', ['X-Forwarded-For: 127.0.0.1'])).status).toBe(403)
})

test('metrics listener serves requests with the token (P-173)', async () => {
  await using server = await serve({ token: TOKEN })
  const { ask, served } = server
  const refused = await ask('GET /metrics')
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="metrics"'])
  for (const shown of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, 'Bearer', `Basic ${TOKEN}`]) {
    expect((await ask('GET /debug/vars', [`Authorization: ${shown}`])).status).toBe(401)
  }
  expect((await ask('GET /metrics', [`Authorization: Bearer ${TOKEN}`])).status).toBe(200)
  expect((await ask('GET /metrics', [`Authorization: Bearer ${TOKEN}`, 'X-Forwarded-For: 192.0.2.1'])).status).toBe(200)
  served.access = { token: 'another-token-0123456789' }
  expect((await ask('GET /metrics', [`Authorization: Bearer ${TOKEN}`])).status).toBe(401)
})

test('metrics listener serves the configured address ranges, besides the token (P-173)', async () => {
  await using server = await serve({ ranges: new CidrList(['10.0.0.0/8']) })
  const { ask, served } = server
  expect((await ask('GET /metrics')).status).toBe(403)
  served.access = { ranges: new CidrList(['10.0.0.0/8', '127.0.0.0/8']), token: TOKEN }
  expect((await ask('GET /metrics')).status).toBe(200)
  served.access = { ranges: new CidrList(['::1/128']), token: TOKEN }
  expect((await ask('GET /metrics')).status).toBe(401)
  expect((await ask('GET /metrics', [`Authorization: Bearer ${TOKEN}`])).status).toBe(200)
})

test('metrics listener serves health to everyone, with reasons for visitors with access (P-171, P-173)', async () => {
  await using server = await serve({ token: TOKEN })
  const { ask, relay } = server
  expect(await ask('GET /readyz')).toMatchObject({ status: 200, body: 'ready\n' })
  relay.core.close()
  expect(await ask('GET /readyz')).toMatchObject({ status: 503, body: 'not ready\ndraining\n' })
  const told = await ask('GET /readyz', [`Authorization: Bearer ${TOKEN}`])
  expect(told).toMatchObject({ status: 503, body: 'not ready\ndraining: it ends\n' })
})
