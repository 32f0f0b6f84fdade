import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPort80Routes } from '../../src/http/pages/port80.ts'
import { createRoutes } from '../../src/http/routes.ts'
import { createHttpListener, type HttpListener } from '../../src/listen/node/http-listener.ts'
import { type RawResponse, rawRequest, request } from '../support/raw-http.ts'

let listener: HttpListener
let port: number
let allowed = false

beforeAll(async () => {
  listener = createHttpListener({
    routes: createPort80Routes({ ...createRoutes(), allowsDebug: () => allowed }),
    acceptTimeoutMs: 10_000,
  })
  port = (await listener.listen(0, '127.0.0.1')).port
})
afterAll(() => listener.close())

const location = (response: RawResponse) => response.headers.get('location')

test.for(['/', '/?x', '/a/b?c=d&e', '/derp', '/derp/probe', '/robots.txt', '/x#y', '/<a>"&\'?<b>'])(
  'port 80 redirects %s to https, keeping host and path (P-166)',
  async path => {
    const response = await request(port, `GET ${path}`)
    expect(response.status).toBe(302)
    expect(location(response)).toBe(`https://relay.test${path}`)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await request(port, `HEAD ${path}`)).toMatchObject({ status: 302, body: Buffer.alloc(0) })
  },
)

test.for([
  ['relay.test:80', 'https://relay.test:80/x'],
  ['[::1]:8080', 'https://[::1]:8080/x'],
] as const)('port 80 keeps the host %s with its port (P-166)', async ([host, target]) => {
  expect(location(await rawRequest(port, `GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`))).toBe(target)
})

test.for(['a<b>', 'a b', 'a"', 'a/b', 'a\\b', 'a@b'])(
  'port 80 does not echo a malformed host such as %s (P-166)',
  async host => {
    const response = await rawRequest(port, `GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    expect(response.status).toBe(400)
    expect(location(response)).toBeUndefined()
  },
)

test('port 80 refuses other methods (P-166)', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    expect(await request(port, `${method} /x`)).toMatchObject({ status: 400, body: Buffer.from('Use HTTPS\n') })
  }
})

test('port 80 upgrades nothing (P-166)', async () => {
  const response = await request(port, 'GET /derp', ['Connection: Upgrade', 'Upgrade: DERP'])
  expect([response.status, location(response)]).toEqual([302, 'https://relay.test/derp'])
})

test('port 80 serves generate_204 itself, for every method (P-161, P-166)', async () => {
  for (const method of ['GET', 'HEAD', 'POST']) {
    const response = await request(port, `${method} /generate_204`, ['X-Tailscale-Challenge: abc'])
    expect(response.status).toBe(204)
    expect(response.headers.get('x-tailscale-response')).toBe('response abc')
  }
})

test('port 80 canonicalizes paths first (P-166, P-168)', async () => {
  expect(location(await request(port, 'GET //derp?x'))).toBe('/derp?x')
  expect(location(await request(port, 'POST //generate_204'))).toBe('/generate_204')
})

test('port 80 passes paths that begin with /debug to the main routes, with any method (P-166)', async () => {
  expect(location(await request(port, 'GET /debug'))).toBe('/debug/')
  expect(await request(port, 'GET /debug/nope')).toMatchObject({
    status: 404,
    body: Buffer.from('404 page not found\n'),
  })
  for (const method of ['GET', 'POST']) {
    const response = await request(port, `${method} /debugger`)
    expect(response.status).toBe(200)
    expect(response.body.toString()).toContain('<h1>DERP</h1>')
  }
})

test('port 80 redirects visitors with debug access from / to /debug/ (P-166)', async () => {
  allowed = true
  expect(location(await request(port, 'GET /'))).toBe('https://relay.test/debug/')
  expect(location(await request(port, 'HEAD /'))).toBe('https://relay.test/debug/')
  expect(location(await request(port, 'GET /?x'))).toBe('https://relay.test/?x')
  expect((await request(port, 'POST /')).status).toBe(400)
  allowed = false
})

test('port 80 serves the health pages itself, as health checks do not follow redirects (P-170, P-171)', async () => {
  expect(await request(port, 'GET /healthz')).toMatchObject({ status: 200, body: Buffer.from('ok\n') })
  expect(await request(port, 'GET /readyz')).toMatchObject({ status: 200, body: Buffer.from('ready\n') })
  expect(await request(port, 'POST /healthz')).toMatchObject({ status: 405 })
})
