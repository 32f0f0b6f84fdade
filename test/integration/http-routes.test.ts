import { afterAll, beforeAll, expect, test } from 'vitest'
import { BROWSER_HEADERS } from '../../src/http/pages/browser-headers.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { type RawResponse, rawRequest, request } from '../support/raw-http.ts'

let relay: ListeningRelay

beforeAll(async () => {
  relay = await ListeningRelay.start()
})
afterAll(() => relay[Symbol.asyncDispose]())

const header = (response: RawResponse, name: string) => response.headers.get(name.toLowerCase())
const hasBrowserHeaders = (response: RawResponse) =>
  Object.entries(BROWSER_HEADERS).every(([name, value]) => header(response, name) === value)
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']

test.for(['/', '/x', '/favicon.ico', '/derp/', '/derp/probe/', '/robots.txt/', '/derp%2fprobe', '/?x', '/derp;x'])(
  'unknown path %s serves the home page for every method, with security headers (P-163, P-165)',
  async path => {
    for (const method of METHODS) {
      const response = await request(relay.port, `${method} ${path}`)
      expect(response.status).toBe(200)
      expect(header(response, 'Content-Type')).toBe('text/html; charset=utf-8')
      expect(response.body.toString()).toContain('<h1>DERP</h1>')
      expect(hasBrowserHeaders(response)).toBe(true)
    }
  },
)

test('robots.txt disallows everything, for every method and with security headers (P-162, P-165)', async () => {
  for (const method of METHODS) {
    const response = await request(relay.port, `${method} /robots.txt?x=1`)
    expect(response).toMatchObject({ status: 200, body: Buffer.from('User-agent: *\nDisallow: /\n') })
    expect(header(response, 'Content-Type')).toBe('text/plain; charset=utf-8')
    expect(hasBrowserHeaders(response)).toBe(true)
  }
})

test.for([
  [['abc'], 'response abc'],
  [['A.-_:9'], 'response A.-_:9'],
  [['x'.repeat(64)], `response ${'x'.repeat(64)}`],
  [['one', 'two'], 'response one'],
  [['  padded  '], 'response padded'],
  [[], undefined],
  [[''], undefined],
  [['', 'two'], undefined],
  [['x'.repeat(65)], undefined],
  [['a b'], undefined],
  [['a/b'], undefined],
  [['é'], undefined],
] as const)('generate_204 responds to challenge %j with %s (P-161)', async ([challenges, answer]) => {
  for (const method of [...METHODS, 'HEAD']) {
    const headers = challenges.map(challenge => `X-Tailscale-Challenge: ${challenge}`)
    const response = await request(relay.port, `${method} /generate_204`, headers)
    expect(response.status).toBe(204)
    expect(header(response, 'X-Tailscale-Response')).toBe(answer)
    expect(header(response, 'Cache-Control')).toBe('no-cache, no-store, must-revalidate, no-transform, max-age=0')
    expect(response.headers.has('x-frame-options')).toBe(false)
  }
})

test.for(['/derp/probe', '/derp/latency-check'])('%s accepts GET and HEAD only (P-160)', async path => {
  for (const method of ['GET', 'HEAD']) {
    const response = await request(relay.port, `${method} ${path}?x`, ['Connection: Upgrade', 'Upgrade: DERP'])
    expect(response).toMatchObject({ status: 200, body: Buffer.alloc(0) })
    expect(header(response, 'Access-Control-Allow-Origin')).toBe('*')
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await request(relay.port, `${method} ${path}`)
    expect(response).toMatchObject({ status: 405, body: Buffer.from('bogus probe method\n') })
    expect(response.headers.has('access-control-allow-origin')).toBe(false)
  }
})

test('derp without an upgrade is 426 for every method (P-124)', async () => {
  for (const method of METHODS) {
    const response = await request(relay.port, `${method} /derp?x=1`)
    expect(response).toMatchObject({ status: 426, body: Buffer.from('DERP requires connection upgrade\n') })
    expect(header(response, 'Content-Type')).toBe('text/plain; charset=utf-8')
    expect(header(response, 'X-Content-Type-Options')).toBe('nosniff')
  }
})

test('a non-canonical path is redirected, upgrade or not (P-168)', async () => {
  const upgrade = ['Connection: Upgrade', 'Upgrade: DERP']
  for (const headers of [[], upgrade]) {
    const response = await request(relay.port, 'GET //derp?a=1&b="<', headers)
    expect(response.status).toBe(307)
    expect(header(response, 'Location')).toBe('/derp?a=1&b="<')
    expect(header(response, 'Content-Type')).toBe('text/html; charset=utf-8')
    expect(response.body.toString()).toBe('<a href="/derp?a=1&amp;b=&#34;&lt;">Temporary Redirect</a>.\n\n')
  }
  const head = await request(relay.port, 'HEAD /debug')
  expect(head).toMatchObject({ status: 307, body: Buffer.alloc(0) })
  expect([header(head, 'Location'), header(head, 'Content-Type')]).toEqual(['/debug/', 'text/html; charset=utf-8'])
  const post = await request(relay.port, 'POST /debug?x=1')
  expect(post).toMatchObject({ status: 307, body: Buffer.alloc(0) })
  expect([header(post, 'Location'), header(post, 'Content-Type')]).toEqual(['/debug/?x=1', undefined])
})

test('a target without a path is malformed, except OPTIONS *', async () => {
  const malformed = await request(relay.port, 'GET /%zz')
  expect(malformed).toMatchObject({ status: 400, body: Buffer.from('400 Bad Request') })
  expect(header(malformed, 'Connection')).toBe('close')
  expect(await request(relay.port, 'GET *')).toMatchObject({ status: 400, body: Buffer.alloc(0) })
  expect(await request(relay.port, 'OPTIONS *')).toMatchObject({ status: 200, body: Buffer.alloc(0) })
})

test('HTTP/1.0 without Host gets a response, and the connection is closed', async () => {
  const response = await rawRequest(relay.port, 'GET /derp/probe HTTP/1.0\r\n\r\n')
  expect(response.status).toBe(200)
  expect(header(response, 'Connection')).toBe('close')
})

test('home page can be a redirect, with the security headers (P-165, P-169)', async () => {
  await using redirecting = await ListeningRelay.start({ home: 'https://home.example/?a=1&b=2' })
  const get = await request(redirecting.port, 'GET /')
  expect(get.status).toBe(302)
  expect(header(get, 'Location')).toBe('https://home.example/?a=1&b=2')
  expect(get.body.toString()).toBe('<a href="https://home.example/?a=1&amp;b=2">Found</a>.\n\n')
  expect(hasBrowserHeaders(get)).toBe(true)
  expect(await request(redirecting.port, 'POST /x')).toMatchObject({ status: 302, body: Buffer.alloc(0) })
})

test('disabled DERP is 404, upgrade or not, and the home page says so (P-167)', async () => {
  await using off = await ListeningRelay.start({ derp: false })
  for (const headers of [[], ['Connection: Upgrade', 'Upgrade: DERP']]) {
    const response = await request(off.port, 'GET /derp', headers)
    expect(response).toMatchObject({ status: 404, body: Buffer.from('derp server disabled\n') })
  }
  expect((await request(off.port, 'GET /')).body.toString()).toContain('disabled')
  expect((await request(off.port, 'GET /derp/probe')).status).toBe(200)
})
