/** HTTP pages, and upgrades to DERP. */

import { encodeUtf8 } from '../../../src/lib/bytes.ts'
import { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import { equal, expectClosed, expectNothingBut, ok } from '../check.ts'
import type { HttpAnswer, Target, UpgradeOptions } from '../target.ts'

const SECURITY_HEADERS = [
  'strict-transport-security',
  'content-security-policy',
  'x-frame-options',
  'x-content-type-options',
]

/** The expected response; other headers are ignored. */
interface Expected {
  readonly status: number
  readonly body?: string | RegExp
  readonly headers?: Readonly<Record<string, string | RegExp | undefined>>
}

function expectAnswer(answer: HttpAnswer, { status, body, headers = {} }: Expected): void {
  equal(answer.status, status)
  if (typeof body === 'string') equal(answer.body, body)
  else if (body !== undefined) ok(body.test(answer.body), `the body is ${JSON.stringify(answer.body)}`)
  for (const [name, wanted] of Object.entries(headers)) {
    const value = answer.headers[name]
    if (wanted instanceof RegExp) ok(wanted.test(String(value)), `${name} is ${String(value)}`)
    else equal(value, wanted)
  }
}

/** Requests a path and compares the response. */
const asks = (
  id: string,
  clauses: readonly string[],
  request: { readonly path: string; readonly method?: string; readonly headers?: Record<string, string> },
  expected: Expected,
): ConformanceCase => ({
  id: `http/${id}`,
  clauses,
  async run(target) {
    const { path, ...options } = request
    expectAnswer(await target.http(path, options), expected)
  },
})

/** Requests a path and expects all security headers. */
const secured = (id: string, path: string): ConformanceCase => ({
  id: `http/security-headers/${id}`,
  clauses: ['P-165'],
  async run(target) {
    const answer = await target.http(path)
    for (const name of SECURITY_HEADERS) ok(answer.headers[name] !== undefined, `${name} is missing`)
    equal(answer.headers['x-frame-options'], 'DENY')
    equal(answer.headers['x-content-type-options'], 'nosniff')
    equal(answer.headers['strict-transport-security'], 'max-age=63072000; includeSubDomains')
  },
})

/** An upgrade that must lead to a DERP connection with a 101. */
const upgrades = (id: string, options: UpgradeOptions, clauses = ['P-120', 'P-121']): ConformanceCase => ({
  id: `upgrade/takes/${id}`,
  clauses,
  needs: ['raw'],
  async run(target) {
    const { head, conn } = await target.upgrade(options)
    const lines = head.split('\r\n')
    equal(lines[0], 'HTTP/1.1 101 Switching Protocols')
    const headers = new Map(lines.slice(1).map(line => line.toLowerCase().split(': ', 2) as [string, string]))
    equal(headers.get('upgrade'), 'derp')
    equal(headers.get('connection'), 'upgrade')
    equal(headers.get('derp-version'), '2')
    const client = new RawClient(conn)
    equal(headers.get('derp-public-key'), (await client.greeting()).toHex())
    await client.login()
    await expectNothingBut(client)
    client.close()
  },
})

/** A request that must not be upgraded. */
const refuses = (id: string, headers: Record<string, string>, expected: Expected): ConformanceCase =>
  asks(`upgrade-refused/${id}`, ['P-124'], { path: '/derp', headers }, expected)

async function fastStart(target: Target, headers: Record<string, string>): Promise<RawClient> {
  const socket = await target.socket()
  socket.write(target.upgradeRequest({ headers: { Upgrade: 'DERP', Connection: 'Upgrade', ...headers } }))
  const { NodeConn } = await import('../../../src/transport/node-conn.ts')
  return new RawClient(new NodeConn(socket))
}

const challenge = (id: string, sent: string, answered: string | undefined): ConformanceCase =>
  asks(
    `generate-204/challenge-${id}`,
    ['P-161'],
    { path: '/generate_204', headers: { 'X-Tailscale-Challenge': sent } },
    { status: 204, headers: { 'x-tailscale-response': answered } },
  )

export const httpCases: readonly ConformanceCase[] = [
  asks(
    'home',
    ['P-163'],
    { path: '/' },
    { status: 200, body: /DERP/, headers: { 'content-type': 'text/html; charset=utf-8' } },
  ),
  asks('home/head', ['P-163'], { path: '/', method: 'HEAD' }, { status: 200, body: '' }),
  asks('home/post', ['P-163'], { path: '/', method: 'POST' }, { status: 200, body: /DERP/ }),
  asks('unknown-path', ['P-163'], { path: '/favicon.ico' }, { status: 200, body: /DERP/ }),
  asks('derp-with-slash', ['P-163'], { path: '/derp/' }, { status: 200, body: /DERP/ }),
  asks('query-is-ignored', ['P-163'], { path: '/?a=b' }, { status: 200, body: /DERP/ }),
  asks('double-slash', ['P-168'], { path: '//derp' }, { status: 307, headers: { location: '/derp' } }),
  asks('dots', ['P-168'], { path: '/a/../robots.txt' }, { status: 307, headers: { location: '/robots.txt' } }),
  asks('robots', ['P-162'], { path: '/robots.txt' }, { status: 200, body: 'User-agent: *\nDisallow: /\n' }),
  asks(
    'probe/get',
    ['P-160'],
    { path: '/derp/probe' },
    { status: 200, body: '', headers: { 'access-control-allow-origin': '*' } },
  ),
  asks(
    'probe/head',
    ['P-160'],
    { path: '/derp/probe', method: 'HEAD' },
    { status: 200, headers: { 'access-control-allow-origin': '*' } },
  ),
  asks('probe/post', ['P-160'], { path: '/derp/probe', method: 'POST' }, { status: 405, body: 'bogus probe method\n' }),
  asks('probe/put', ['P-160'], { path: '/derp/probe', method: 'PUT' }, { status: 405 }),
  asks(
    'latency-check',
    ['P-160'],
    { path: '/derp/latency-check' },
    { status: 200, body: '', headers: { 'access-control-allow-origin': '*' } },
  ),
  asks('latency-check/delete', ['P-160'], { path: '/derp/latency-check', method: 'DELETE' }, { status: 405 }),
  asks(
    'generate-204',
    ['P-161'],
    { path: '/generate_204' },
    {
      status: 204,
      body: '',
      headers: {
        'cache-control': 'no-cache, no-store, must-revalidate, no-transform, max-age=0',
        'x-tailscale-response': undefined,
      },
    },
  ),
  asks('generate-204/post', ['P-161'], { path: '/generate_204', method: 'POST' }, { status: 204 }),
  challenge('simple', 'ts_derp1-2.3:4', 'response ts_derp1-2.3:4'),
  challenge('of-64-characters', 'a'.repeat(64), `response ${'a'.repeat(64)}`),
  challenge('of-65-characters', 'a'.repeat(65), undefined),
  challenge('with-space', 'a b', undefined),
  challenge('with-other-character', 'a/b', undefined),
  secured('home', '/'),
  secured('unknown-path', '/nothing/here'),
  secured('robots', '/robots.txt'),
  secured('bootstrap-dns', '/bootstrap-dns'),
  asks(
    'bootstrap-dns',
    ['P-164'],
    { path: '/bootstrap-dns' },
    { status: 200, body: '', headers: { 'content-type': 'application/json', connection: 'close' } },
  ),
  asks('bootstrap-dns/question', ['P-164'], { path: '/bootstrap-dns?q=x.example' }, { status: 200, body: '' }),
  asks('bootstrap-dns/head', ['P-164'], { path: '/bootstrap-dns', method: 'HEAD' }, { status: 200 }),
  asks('bootstrap-dns/post', ['P-164'], { path: '/bootstrap-dns', method: 'POST' }, { status: 200, body: '' }),
  asks('bare-derp', ['P-124'], { path: '/derp' }, { status: 426, body: 'DERP requires connection upgrade\n' }),
  asks('bare-derp/post', ['P-124'], { path: '/derp', method: 'POST' }, { status: 426 }),
  refuses(
    'weird-protocol',
    { Upgrade: 'h2c', Connection: 'Upgrade' },
    { status: 426, body: 'DERP requires connection upgrade\n' },
  ),
  upgrades('plain', {}),
  upgrades('lower-case', { headers: { Upgrade: 'derp', Connection: 'upgrade' } }),
  upgrades('upper-case', { headers: { Upgrade: 'DeRp', Connection: 'Upgrade' } }),
  upgrades('websocket-without-protocol', { headers: { Upgrade: 'websocket', Connection: 'Upgrade' } }),
  upgrades('WebSocket-without-protocol', { headers: { Upgrade: 'WebSocket', Connection: 'Upgrade' } }),
  upgrades('post', { method: 'POST' }),
  upgrades('http-1.0', { version: '1.0' }),
  upgrades('connection-with-more', { headers: { Upgrade: 'DERP', Connection: 'keep-alive, Upgrade' } }),
  upgrades(
    'fast-start-of-another-value',
    { headers: { Upgrade: 'DERP', Connection: 'Upgrade', 'Derp-Fast-Start': 'true' } },
    ['P-122'],
  ),
  {
    id: 'upgrade/without-connection-header',
    clauses: ['P-120'],
    needs: ['raw'],
    differs: 'D-01',
    async run(target) {
      const { head, conn } = await target.upgrade({ headers: { Upgrade: 'DERP' } })
      ok(head.startsWith(target.isOriginal ? 'HTTP/1.1 101 ' : 'HTTP/1.1 426 '), head)
      conn.destroy()
    },
  },
  {
    id: 'upgrade/fast-start-has-no-answer-but-derp',
    clauses: ['P-122'],
    needs: ['raw'],
    async run(target) {
      const client = await fastStart(target, { 'Derp-Fast-Start': '1' })
      await client.login()
      await expectNothingBut(client)
      client.close()
    },
  },
  {
    id: 'upgrade/fast-start-with-client-info-in-the-same-write',
    clauses: ['P-122', 'P-037'],
    needs: ['raw'],
    async run(target) {
      const known = await target.connect()
      const serverKey = await known.greeting()
      const request = encodeUtf8(
        target.upgradeRequest({ headers: { Upgrade: 'DERP', Connection: 'Upgrade', 'Derp-Fast-Start': '1' } }),
      )
      const socket = await target.socket()
      const { NodeConn } = await import('../../../src/transport/node-conn.ts')
      const client = new RawClient(new NodeConn(socket))
      client.knowServer(serverKey)
      socket.write(Buffer.concat([request, await client.hello()]))
      // The greeting is still sent; clients that know the key skip it.
      equal(String(await client.greeting()), String(serverKey))
      await client.serverInfo()
      await expectNothingBut(client)
      client.close()
    },
  },
  {
    id: 'upgrade/derp-bytes-behind-the-request',
    clauses: ['P-120', 'P-030'],
    needs: ['raw'],
    async run(target) {
      const { head, conn } = await target.upgrade({ behind: encodeUtf8('garbage in place of ClientInfo') })
      ok(head.startsWith('HTTP/1.1 101 '), head)
      await expectClosed(new RawClient(conn))
    },
  },
  {
    id: 'upgrade/request-split-byte-by-byte',
    clauses: ['P-120'],
    needs: ['raw'],
    async run(target) {
      const socket = await target.socket()
      for (const byte of Buffer.from(target.upgradeRequest({}))) socket.write(Buffer.of(byte))
      const { readHead } = await import('../target.ts')
      const { head } = await readHead(socket)
      ok(head.startsWith('HTTP/1.1 101 '), head)
      socket.destroy()
    },
  },
  {
    id: 'debug/forwarded-for-is-refused',
    clauses: ['P-190'],
    needs: ['debug'],
    async run(target) {
      for (const path of ['/debug/', '/debug/vars', '/debug/varz', '/debug/check']) {
        const answer = await target.http(path, { headers: { 'X-Forwarded-For': '127.0.0.1' } })
        equal(answer.status, 403)
        ok(answer.body.startsWith('debug access denied'), answer.body)
      }
    },
  },
  {
    id: 'debug/pages-are-there',
    clauses: ['P-191', 'P-192', 'P-193', 'P-197'],
    needs: ['debug'],
    async run(target) {
      equal((await target.http('/debug/')).status, 200)
      const varz = await target.http('/debug/varz')
      ok(/^derp_accepts \d+$/m.test(varz.body), 'derp_accepts is exported')
      ok(/^# TYPE derp_current_connections gauge$/m.test(varz.body), 'gauges lose their prefix')
      ok(/^derp_packets_dropped\{.*reason="unknown_dest".*\} \d+$/m.test(varz.body), 'drops carry their reason')
      equal((await target.http('/debug/check')).status, 200)
    },
  },
  asks('debug/redirect', ['P-168', 'P-191'], { path: '/debug' }, { status: 307, headers: { location: '/debug/' } }),
  {
    id: 'debug/unknown-page',
    clauses: ['P-191'],
    needs: ['debug'],
    async run(target) {
      equal((await target.http('/debug/nothing')).status, 404)
    },
  },
  {
    id: 'debug/collecting-garbage',
    clauses: ['P-199'],
    needs: ['debug'],
    async run(target) {
      const { status, body } = await target.http('/debug/gc')
      equal(status, 200)
      ok(body.startsWith('running GC...\n') && body.endsWith('\nDone.\n'), body)
    },
  },
  {
    id: 'debug/profiles-are-listed',
    clauses: ['P-199'],
    needs: ['debug'],
    async run(target) {
      const { status, body } = await target.http('/debug/pprof/')
      equal(status, 200)
      ok(body.includes('profile') && body.includes('heap'), body)
      equal((await target.http('/debug/pprof/cmdline')).status, 200)
    },
  },
]
