/** Health and readiness, on the main listener and port 80. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { prometheusText } from '../../src/status/varz-prometheus.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { request } from '../support/raw-http.ts'

let server: ListeningRelay
let wrong: Record<string, string | undefined> = {}

beforeAll(async () => {
  server = await ListeningRelay.start()
  server.relay.readiness.add(
    { name: 'certificate', problem: () => wrong['certificate'] },
    { name: 'mesh', problem: () => wrong['mesh'], degradesOnly: true },
  )
})
afterAll(() => server[Symbol.asyncDispose]())

async function ask(line: string, headers: readonly string[] = []) {
  const { status, headers: answered, body } = await request(server.port, line, headers)
  return { status, type: answered.get('content-type'), cache: answered.get('cache-control'), body: body.toString() }
}

/** Loopback may see debug pages, but not forwarded requests. */
const STRANGER = ['X-Forwarded-For: 192.0.2.1']

test('/healthz responds to GET and HEAD while the process is alive (P-170)', async () => {
  const text = 'text/plain; charset=utf-8'
  expect(await ask('GET /healthz')).toEqual({ status: 200, type: text, cache: 'no-store', body: 'ok\n' })
  expect(await ask('HEAD /healthz?x')).toEqual({ status: 200, type: text, cache: 'no-store', body: '' })
  for (const path of ['/healthz', '/readyz']) {
    const response = await request(server.port, `POST ${path}`)
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  }
})

test('/readyz lists problems, with reasons for visitors with debug access (P-171)', async () => {
  wrong = {}
  expect(await ask('GET /readyz')).toMatchObject({ status: 200, cache: 'no-store', body: 'ready\n' })
  wrong = { mesh: 'no link to b.test' }
  expect(await ask('GET /readyz')).toMatchObject({ status: 200, body: 'ready\ndegraded: mesh: no link to b.test\n' })
  wrong = { certificate: 'it has ended', mesh: 'no link to b.test' }
  const lines = 'not ready\ncertificate: it has ended\ndegraded: mesh: no link to b.test\n'
  expect(await ask('GET /readyz')).toMatchObject({ status: 503, body: lines })
  const names = 'not ready\ncertificate\ndegraded: mesh\n'
  expect(await ask('GET /readyz', STRANGER)).toMatchObject({ status: 503, body: names })
  expect(await ask('HEAD /readyz')).toMatchObject({ status: 503, body: '' })
})

test('the metrics list problems by name (P-171)', async () => {
  const samples = async () =>
    prometheusText(await server.relay.metrics()).match(/^derphttp_(ready|not_ready|degraded)\b.*$/gm)
  wrong = {}
  expect(await samples()).toEqual(['derphttp_ready 1'])
  wrong = { certificate: 'it has ended', mesh: 'no link to b.test' }
  expect(await samples()).toEqual([
    'derphttp_degraded{check="mesh"} 1',
    'derphttp_not_ready{check="certificate"} 1',
    'derphttp_ready 0',
  ])
})

test('/readyz answers in JSON when asked to (P-171)', async () => {
  wrong = { certificate: 'it has ended' }
  const told = await ask('GET /readyz?format=json')
  expect([told.status, told.type]).toEqual([503, 'application/json; charset=utf-8'])
  expect(JSON.parse(told.body)).toEqual({
    ready: false,
    problems: [{ name: 'certificate', reason: 'it has ended' }],
    degraded: [],
  })
  const short = await ask('GET /readyz?format=json', STRANGER)
  expect(JSON.parse(short.body)).toEqual({ ready: false, problems: [{ name: 'certificate' }], degraded: [] })
})

test('a draining relay is not ready, and refuses DERP and WebSocket upgrades with a reason (P-171, P-174)', async () => {
  wrong = {}
  await server.relay.drain({ spreadMs: 0, tryForMs: 0 })
  expect((await ask('GET /readyz')).body).toBe('not ready\ndraining: the relay accepts no more clients\n')
  const webSocket = ['Upgrade: websocket', 'Sec-WebSocket-Protocol: derp', 'Sec-WebSocket-Version: 13']
  for (const headers of [['Upgrade: DERP'], [...webSocket, `Sec-WebSocket-Key: ${'A'.repeat(22)}==`]]) {
    const response = await request(server.port, 'GET /derp', ['Connection: Upgrade', ...headers])
    expect([response.status, response.body.toString()]).toEqual([503, 'relay is going away\n'])
  }
  expect(server.relay.core.counters.accepts).toBe(0)
})
