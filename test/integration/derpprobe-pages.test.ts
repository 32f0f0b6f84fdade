/** What derpprobe serves, over relays in memory. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { probeRoutes } from '../../src/cli/derpprobe/probe-routes.ts'
import { silentLog } from '../../src/lib/log.ts'
import { CidrList } from '../../src/listen/cidr-list.ts'
import type { HttpReply } from '../../src/listen/http-service.ts'
import { DerpProber, MAP_PROBE } from '../../src/monitor/derp-prober.ts'
import type { MonitorPorts } from '../../src/monitor/ports.ts'
import { Prober } from '../../src/monitor/prober.ts'
import { httpRequest } from '../support/http-request.ts'
import { MonitorRegion } from '../support/monitor-region.ts'
import { settle, until } from '../support/settle.ts'

const TLS_FAULT = 'secure connection to 1b.test:443: <expired> & "gone"'

let region: MonitorRegion
let prober: Prober
let get: (target: string, headers?: Record<string, string>, from?: string) => Promise<HttpReply>

beforeEach(async () => {
  region = new MonitorRegion()
  await region.mesh()
  const ports: MonitorPorts = {
    ...region.ports,
    handshake: async ({ Name }) => {
      if (Name === '1b') throw new Error(TLS_FAULT)
      return { peerCertificates: [], pin: undefined }
    },
    checkRevocation: async () => ({ kind: 'unchecked', reason: 'nobody is named' }),
    askStun: async () => {},
  }
  const { clock } = region
  prober = new Prober({ clock, log: silentLog, isSpread: false, isOnce: false })
  const intervalMs = 15_000
  const kinds = {
    mapIntervalMs: intervalMs,
    tlsIntervalMs: intervalMs,
    stunIntervalMs: intervalMs,
    meshIntervalMs: intervalMs,
  }
  const derp = new DerpProber(prober, ports, kinds)
  const access = { ranges: new CidrList(['192.0.2.0/24']) }
  const routes = probeRoutes({ prober, derp, ports, logins: undefined, version: '1.2.3', access })
  get = async (target, headers = {}, from = '127.0.0.1') =>
    whileTimeMoves(async () => (await routes.answer(httpRequest({ target, headers, from }))) as HttpReply)
  derp.start()
  await whileTimeMoves(async () => {
    await until(() => prober.probes.length === 9, 'the map is read')
    await until(() => prober.infos().every(info => info.endedAtMs !== undefined), 'all have run')
  })
})
afterEach(() => prober.close())

/** Between relays news takes time, after which a greeting is repeated. */
async function whileTimeMoves<T>(work: () => Promise<T>): Promise<T> {
  let isOver = false
  const moving = (async () => {
    for (; !isOver; await settle()) region.clock.advance(1)
  })()
  try {
    return await work()
  } finally {
    isOver = true
    await moving
  }
}

const bodyOf = ({ body }: HttpReply): string => (typeof body === 'string' ? body : '')

test('/ shows each node in a table, what failed and why, without script', async () => {
  const reply = await get('/', {}, '203.0.113.1')
  expect(reply.status).toBe(200)
  const html = bodyOf(reply)
  expect(html).toContain('<h2>lab · Lab</h2>')
  expect(html).toContain('<th scope="row">1a<br><small>1a.test</small></th>')
  expect(html.match(/class="cell green"/g)).toHaveLength(7)
  expect(html.match(/class="cell red" title=/g)).toHaveLength(1)
  expect(html).toContain('1 of 9 probes failed.')
  expect(html).toContain(
    '<span class="error">secure connection to 1b.test:443: &lt;expired&gt; &amp; &#34;gone&#34;</span>',
  )
  expect(html).toContain('<a href="/debug/probe-run?name=derp%2Flab%2F1a%2F1b%2Fmesh">run now</a>')
  expect(html).toContain('<noscript><meta http-equiv="refresh"')
  expect(html).not.toContain('<script>')
})

test('/ draws the last runs, once there are several', async () => {
  expect(bodyOf(await get('/'))).not.toContain('<svg')
  await get('/debug/probe-run?name=derp/lab/1b/tls')
  expect(bodyOf(await get('/')).match(/<svg .*?<\/svg>/g)).toEqual([expect.stringContaining('fill="#c0392b"')])
})

test('/healthz answers everybody; the script of the page is beside it; other paths are unknown', async () => {
  expect(await get('/healthz', {}, '203.0.113.1')).toMatchObject({ status: 200, body: 'ok\n' })
  expect(await get('/derpprobe.js')).toMatchObject({
    status: 200,
    body: expect.stringContaining('setInterval(refresh'),
  })
  expect(await get('/other')).toMatchObject({ status: 404 })
})

test.each([
  '/debug/',
  '/debug/varz',
  '/debug/probe-run?name=a',
  '/debug/probe-all',
  '/probe?target=127.0.0.9',
  '/debug/x',
])('%s is for this machine, the tailnet, and who is allowed by name', async target => {
  expect(await get(target, {}, '203.0.113.1')).toMatchObject({ status: 403, body: 'debug access denied\n' })
  expect((await get(target, {}, '192.0.2.7')).status).not.toBe(403)
  expect((await get(target, { 'x-forwarded-for': '192.0.2.7' }, '203.0.113.1')).status).toBe(403)
})

test('/debug/varz has the metrics of all probes and of the process', async () => {
  const text = bodyOf(await get('/debug/varz'))
  expect(text).toContain(
    'derpprobe_result{class="derp_mesh",derp_path="mesh",hostname="1a.test",name="derp/lab/1a/1b/mesh",region="lab",region_id="1"} 1\n',
  )
  expect(text).toContain(
    'derpprobe_result{class="derp_udp",address_family="ipv4"'.replace(
      'class="derp_udp",address_family="ipv4"',
      'address_family="ipv4",class="derp_udp"',
    ),
  )
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
  expect(text).toContain('version{version="1.2.3"} 1\n')
})

test('/debug/probe-run runs a probe, and answers 424 when it fails', async () => {
  const good = await get('/debug/probe-run?name=derp/lab/1a/tls')
  expect(good.status).toBe(200)
  expect(bodyOf(good)).toMatch(
    /^Probe succeeded in [\d.]+ms\nLast 2 probes \(including this one\): success rate 100%, median latency [\d.]+ms\nrevocation not checked: nobody is named\n$/,
  )
  const bad = await get('/debug/probe-run?name=derp/lab/1b/tls')
  expect(bad.status).toBe(424)
  expect(bodyOf(bad)).toMatch(
    /^Probe failed: secure connection .*\nLast 2 probes \(including this one\): success rate 0%/,
  )
})

test('/debug/probe-run gives JSON to who accepts that alone, under the names of the original', async () => {
  const reply = await get('/debug/probe-run?name=derp/lab/1a/1b/mesh', { accept: 'application/json' })
  expect(reply).toMatchObject({ status: 200, headers: { 'Content-Type': 'application/json' } })
  const labels = {
    class: 'derp_mesh',
    derp_path: 'mesh',
    hostname: '1a.test',
    name: 'derp/lab/1a/1b/mesh',
    region: 'lab',
    region_id: '1',
  }
  expect(JSON.parse(bodyOf(reply))).toEqual({
    ProbeInfo: {
      Name: 'derp/lab/1a/1b/mesh',
      Class: 'derp_mesh',
      Interval: 15_000_000_000,
      Labels: labels,
      Start: expect.stringMatching(/^2026-11-01T/),
      End: expect.stringMatching(/^2026-11-01T/),
      Latency: expect.any(Number),
      Status: 'succeeded',
      Error: '',
      RecentResults: [true, true],
      RecentLatencies: [expect.any(Number), expect.any(Number)],
      Notes: [],
    },
    PreviousSuccessRatio: 1,
    PreviousMedianLatency: expect.any(Number),
  })
})

test('/debug/probe-run tells of a name that is missing or unknown', async () => {
  expect(await get('/debug/probe-run')).toMatchObject({ status: 400, body: 'missing name parameter\n' })
  expect(await get('/debug/probe-run?name=x')).toMatchObject({
    status: 404,
    body: 'unknown probe "x": / lists those of the DERP map, once that has been read\n',
  })
})

test('/debug/probe-all runs all probes but those that are excluded', async () => {
  const all = await get('/debug/probe-all')
  expect(all.status).toBe(424)
  const { Results } = JSON.parse(bodyOf(all)) as { Results: Record<string, { ProbeInfo: { Status: string } }> }
  expect(Object.keys(Results)).toHaveLength(9)
  expect(Results['derp/lab/1b/tls']?.ProbeInfo.Status).toBe('failed')
  const rest = await get(`/debug/probe-all?exclude=derp/lab/1b/tls&exclude=${MAP_PROBE}`)
  expect(rest.status).toBe(200)
  expect(Object.keys((JSON.parse(bodyOf(rest)) as { Results: object }).Results)).toHaveLength(7)
})

test('/probe probes any relay and gives metrics, whatever the map says', async () => {
  const ports = region.relays as Map<string, unknown>
  ports.set('127.0.0.1', region.relay('1a'))
  const reply = await get('/probe?target=127.0.0.1:8443&stun=3479')
  expect(reply).toMatchObject({ status: 200, headers: { 'Content-Type': expect.stringContaining('version=0.0.4') } })
  const text = bodyOf(reply)
  expect(text).toMatch(/^probe_success 1$/m)
  expect(text).toMatch(/^probe_duration_seconds [\d.e-]+$/m)
  const results = Array.from(
    text.matchAll(/^derpprobe_result\{.*name="([^"]+)".*\} (\d)$/gm),
    ([, name, value]) => `${name} ${value}`,
  )
  expect(results).toEqual([
    'derp/target/127.0.0.1/tls 1',
    'derp/target/127.0.0.1/udp 1',
    'derp/target/127.0.0.1/127.0.0.1/mesh 1',
  ])
  const without = bodyOf(await get('/probe?target=127.0.0.1&stun=off&debug=true'))
  expect(without).toMatch(/^good: derp\/target\/127\.0\.0\.1\/tls: /m)
  expect(without).not.toContain('/udp')
})

test('/probe tells of a relay that nobody reaches', async () => {
  const text = bodyOf(await get('/probe?target=https://127.0.0.9&debug=true'))
  expect(text).toMatch(/^probe_success 0$/m)
  expect(text).toContain('bad: derp/target/127.0.0.9/127.0.0.9/mesh: find relay 127.0.0.9: nothing listens')
})

test.each([
  ['', 'missing target parameter'],
  ['?target=http://relay.test', 'clients connect over TLS only'],
  ['?target=relay.test&stun=yes', 'stun parameter "yes": neither a port nor "off"'],
])('/probe%s is refused with the reason', async (query, reason) => {
  expect(await get(`/probe${query}`)).toMatchObject({ status: 400, body: expect.stringContaining(reason) })
})
