import { expect, test } from 'vitest'
import { varzSamples } from '../../scripts/metric-names.ts'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { ClientRows, StatusReport } from '../../src/web/status/status-report.ts'
import { FakeClock } from '../support/fake-clock.ts'
import type { ListeningRelay } from '../support/listening-relay.ts'
import { nextMessage } from '../support/relay.ts'
import { until } from '../support/settle.ts'
import { startStatusRelay } from '../support/status-relay.ts'

const TOKEN = 'status-token-0123456789'
/** A request that a proxy has handed on has no access by its address. */
const STRANGER = { 'X-Forwarded-For': '192.0.2.1' }

const urlOf = ({ port }: ListeningRelay, path = '') => `http://127.0.0.1:${port}/debug/status${path}`

function login(relay: ListeningRelay, token: string): Promise<Response> {
  const body = new URLSearchParams({ token })
  return fetch(urlOf(relay, '/login'), { method: 'POST', body, headers: STRANGER, redirect: 'manual' })
}

/** Events of a stream, as they come. */
async function* eventsOf(response: Response): AsyncGenerator<{ name: string; data: unknown }> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, name = '', data = ''] = /event: (\w+)\ndata: (.*)/.exec(text.slice(0, end)) ?? []
      text = text.slice(end + 2)
      yield { name, data: JSON.parse(data) }
    }
  }
}

async function readyClient(relay: ListeningRelay, appName?: string): Promise<Client> {
  const client = new Client(NodePrivateKey.generate(), `http://127.0.0.1:${relay.port}/derp`, { appName })
  await nextMessage(client, 'serverInfo')
  return client
}

test('the status page is guarded as the debug pages are, and without a token nothing else opens it (P-175, P-190)', async () => {
  await using relay = await startStatusRelay()
  expect((await fetch(urlOf(relay))).status).toBe(200)
  for (const path of ['', '/events', '/clients']) {
    const answer = await fetch(urlOf(relay, path), { headers: STRANGER })
    expect([answer.status, await answer.text()]).toEqual([403, 'debug access denied\n'])
  }
  expect((await login(relay, '')).status).toBe(403)
})

test('a bearer of the token logs in by the form and sees the status page, and no other (P-175)', async () => {
  await using relay = await startStatusRelay({ token: () => TOKEN })
  const form = await fetch(urlOf(relay), { headers: STRANGER })
  expect([form.status, form.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  expect(await form.text()).toContain('<form method="post" action="/debug/status/login">')

  const refused = await login(relay, `${TOKEN}x`)
  expect([refused.status, refused.headers.get('set-cookie')]).toEqual([403, null])
  expect(await refused.text()).toContain('role="alert"')
  const tooLong = await fetch(urlOf(relay, '/login'), { method: 'POST', body: `token=${TOKEN}${'x'.repeat(5_000)}` })
  expect(tooLong.status).toBe(403)
  expect((await fetch(urlOf(relay, `/login?token=${TOKEN}`))).status).toBe(405)

  const admitted = await login(relay, TOKEN)
  expect([admitted.status, admitted.headers.get('location')]).toEqual([303, '/debug/status'])
  const cookie = admitted.headers.get('set-cookie')?.split(';')[0] ?? ''
  const headers = { ...STRANGER, Cookie: cookie }
  const page = await fetch(urlOf(relay), { headers })
  expect([page.status, (await page.text()).includes('Log out')]).toEqual([200, true])
  expect((await fetch(urlOf(relay, '/clients'), { headers })).status).toBe(200)
  expect((await fetch(`http://127.0.0.1:${relay.port}/debug/varz`, { headers })).status).toBe(403)
  const bearer = { ...STRANGER, Authorization: `Bearer ${TOKEN}` }
  expect((await fetch(urlOf(relay, '/clients'), { headers: bearer })).status).toBe(200)

  const left = await fetch(urlOf(relay, '/logout'), { method: 'POST', headers, redirect: 'manual' })
  expect([left.status, left.headers.get('set-cookie')]).toEqual([303, expect.stringContaining('Max-Age=0')])
})

test('the status page forbids scripts, styles and connections from elsewhere, and loads files named by their content (P-175)', async () => {
  await using relay = await startStatusRelay()
  const page = await fetch(urlOf(relay))
  expect(page.headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  )
  expect(page.headers.get('cache-control')).toBe('no-store')
  const html = await page.text()
  const files = [...html.matchAll(/(?:src|href)="(\/debug\/status\/[^"]+)"/g)].map(([, path]) => path ?? '')
  expect(files.map(path => path.replace(/-[\w-]{10}\./, '.'))).toEqual([
    '/debug/status/status.css',
    '/debug/status/status.js',
  ])
  for (const path of files) {
    // Whoever logs in needs them before.
    const file = await fetch(`http://127.0.0.1:${relay.port}${path}`, { headers: STRANGER })
    expect([file.status, file.headers.get('content-encoding')]).toEqual([200, 'gzip'])
    expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    const text = await file.text()
    expect(path).toMatch(/-[\w-]{10}\.\w+$/)
    const plain = await fetch(`http://127.0.0.1:${relay.port}${path}`, { headers: { 'Accept-Encoding': 'identity' } })
    expect([plain.headers.get('content-encoding'), await plain.text()]).toEqual([null, text])
  }
})

test('the status page without script shows the numbers of the metrics in plain tables (P-175)', async () => {
  await using relay = await startStatusRelay()
  await using a = await readyClient(relay, 'tables')
  await using b = await readyClient(relay)
  for (let i = 0; i < 20; i++) await a.send(b.selfPublicKey(), new Uint8Array(100))
  for (let i = 0; i < 20; i++) await nextMessage(b, 'receivedPacket')
  const html = await (await fetch(urlOf(relay))).text()
  const samples = varzSamples(await (await fetch(`http://127.0.0.1:${relay.port}/debug/varz`)).text())
  const varz = new Map(samples.map(({ name, labels, value }) => [labels === '' ? name : `${name}{${labels}}`, value]))
  const shown = [...html.matchAll(/<td data-metric="([^"]+)">([^<(]+)/g)].map(
    ([, metric = '', text = '']) => [metric.replaceAll('&#34;', '"'), Number(text.replaceAll('\u202f', ''))] as const,
  )
  expect(shown.length).toBeGreaterThan(25)
  const own = new Map(shown)
  // What the requests themselves move.
  const moving = /^process_|^derp_average_|derphttp_connections/
  for (const [metric, value] of own)
    if (!moving.test(metric)) expect([metric, value]).toEqual([metric, varz.get(metric)])
  expect(own.get('derp_packets_sent')).toBe(20)
  expect(own.get('derp_bytes_received')).toBe(2_000)
  expect(html).toContain('tables')
  expect(html).toContain('All is well: 2 clients connected')
})

test('events tell first of the past, then of the present every second, to each viewer the same (P-175)', async () => {
  const clock = new FakeClock()
  await using relay = await startStatusRelay({ clock })
  const viewers = await Promise.all([1, 2].map(() => fetch(urlOf(relay, '/events'))))
  const streams = viewers.map(eventsOf)
  const next = async (at: number) => (await streams[at]?.next())?.value
  expect(viewers[0]?.headers.get('content-type')).toBe('text/event-stream')
  expect(await next(0)).toEqual({ name: 'points', data: [] })
  const first = (await next(0))?.data as StatusReport
  expect(first.point).toBeUndefined()
  expect(await next(1)).toEqual({ name: 'points', data: [] })
  expect(await next(1)).toEqual({ name: 'report', data: first })
  relay.relay.core.counters.packetsReceivedOther += 50
  clock.advance(2_000)
  const second = (await next(0))?.data as StatusReport
  expect(second.point).toMatchObject({ atMs: first.atMs + 2_000, packetsReceived: 25, queueAgeMs: null })
  expect((await next(1))?.data).toEqual(second)
  const third = await fetch(urlOf(relay, '/events'))
  const late = eventsOf(third)
  expect((await late.next()).value).toEqual({ name: 'points', data: [second.point] })
  const timers = clock.pendingTimers
  await Promise.all([...streams, late].map(stream => stream.return(undefined)))
  await until(() => clock.pendingTimers <= timers - 2, 'nobody is told any more')
})

test('clients are given by order and filter, a few at a time (P-175)', async () => {
  await using relay = await startStatusRelay()
  await using a = await readyClient(relay, 'first app')
  await using b = await readyClient(relay, 'second app')
  await a.send(b.selfPublicKey(), new Uint8Array(5_000))
  await nextMessage(b, 'receivedPacket')
  const rows = async (query: string) => (await (await fetch(urlOf(relay, `/clients?${query}`))).json()) as ClientRows
  const apps = ({ rows }: ClientRows) => rows.map(({ app }) => app)
  expect(apps(await rows('sort=received'))).toEqual(['first app', 'second app'])
  expect(apps(await rows('sort=sent'))).toEqual(['second app', 'first app'])
  expect(apps(await rows('sort=sent&limit=1&offset=1'))).toEqual(['first app'])
  expect(await rows('filter=SECOND')).toMatchObject({ total: 2, matching: 1, rows: [{ app: 'second app', rtt: null }] })
  expect((await fetch(urlOf(relay, '/clients?sort=secret'))).status).toBe(400)
})
