import { createServer, request as httpRequest, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { clockOfNow, conclusionOf, type ExamineOptions, examine, outcomeOf, STEP_MS } from '../support/examination.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { type ListeningServer, listenOnLoopback, startTcpServer } from '../support/socket-server.ts'

async function reportOf(server: ListeningServer | ListeningRelay, path = '/derp', options: ExamineOptions = {}) {
  await using running = server
  return await examine(`http://relay.test:${running.port}${path}`, options)
}

const webServer = (listener: RequestListener) => listenOnLoopback(createServer(listener))
const answering = (status: number, headers: Record<string, string> = {}, body = '') =>
  webServer((_request, response) => response.writeHead(status, headers).end(body))

/** A relay's response to a request without upgrade headers. */
const noUpgrade = (response: ServerResponse) =>
  response.writeHead(426, { 'Content-Type': 'text/plain' }).end('DERP requires connection upgrade\n')

/** Forwards requests to a relay like nginx by default: over HTTP/1.0 and without Upgrade. */
function strippingProxy(relayPort: number, headers: Record<string, string> = { Server: 'nginx/1.27.0' }) {
  const server = createServer((request, response) => {
    const passed = httpRequest({
      port: relayPort,
      host: '127.0.0.1',
      path: request.url,
      headers: { Host: 'relay.test' },
    })
    passed.on('response', answer => answer.pipe(response.writeHead(answer.statusCode ?? 500, headers)))
    passed.end()
  })
  return server
}

describe('HTTP', () => {
  test('a server that does not speak HTTP', async () => {
    const server = await startTcpServer(socket => socket.write('220 mail.test ESMTP\r\n'))
    expect(conclusionOf(await reportOf(server))).toBe('HTTP: not-http')
  })

  test('only HTTP/2', async () => {
    const server = await listenOnLoopback(createHttp2Server())
    expect(conclusionOf(await reportOf(server))).toBe('HTTP: http2-only')
  })

  test('requests without a response', async () => {
    const clock = clockOfNow()
    const server = await startTcpServer(socket => socket.once('data', () => clock.advance(STEP_MS)))
    expect(conclusionOf(await reportOf(server, '/derp', { clock }))).toBe('HTTP: http-silent')
  })

  test('connections closed without a response', async () => {
    const server = await startTcpServer(socket => socket.once('data', () => socket.end()))
    expect(conclusionOf(await reportOf(server))).toBe('HTTP: http-closed')
  })

  test.each<[string, () => Promise<ListeningServer>, string]>([
    ['a proxy whose relay is down', () => answering(502, { Server: 'nginx' }), 'HTTP: behind-down'],
    ['a CDN whose relay is down', () => answering(522, { Server: 'cloudflare' }), 'HTTP: behind-down'],
    ['a proxy that requires a password', () => answering(401, { 'WWW-Authenticate': 'Basic' }), 'HTTP: sign-in'],
    [
      'a proxy that redirects to a login page',
      () => answering(302, { Location: 'https://sso.test/login' }),
      'HTTP: sign-in',
    ],
    ['a redirect elsewhere', () => answering(301, { Location: 'https://www.test/' }), 'HTTP: redirected'],
    ['a request limit', () => answering(429), 'HTTP: rate-limited'],
    ['a server error', () => answering(500), 'HTTP: server-error'],
    ['a web site without a relay', () => answering(200, {}, '<!doctype html><p>Hello'), 'HTTP: other-site'],
    ['a stock relay with -derp=false', () => answering(404, {}, 'derp server disabled\n'), 'HTTP: derp-disabled'],
    ['a relay that is shutting down', () => answering(503, {}, 'relay is going away\n'), 'HTTP: going-away'],
  ])('%s', async (_what, start, cause) => {
    expect(conclusionOf(await reportOf(await start()))).toBe(cause)
  })

  test('a relay at another path', async () => {
    expect(conclusionOf(await reportOf(await ListeningRelay.start(), '/relay'))).toBe('HTTP: wrong-path')
  })

  test('a clock that differs from the server by hours is a warning', async () => {
    const clock = clockOfNow()
    clock.advance(2 * 3_600_000)
    const report = await reportOf(await ListeningRelay.start(), '/derp', { clock })
    expect([outcomeOf(report, 'http'), conclusionOf(report)]).toEqual(['warning: clock-off', 'all is well'])
  })
})

describe('upgrade', () => {
  test('a proxy that strips the upgrade is named', async () => {
    await using relay = await ListeningRelay.start()
    const report = await reportOf(await listenOnLoopback(strippingProxy(relay.port)))
    expect(conclusionOf(report)).toBe('upgrade: upgrade-stripped')
    expect(report.conclusion?.detail).toContain('from nginx')
  })

  test('a proxy that only forwards WebSocket', async () => {
    await using relay = await ListeningRelay.start()
    const proxy = strippingProxy(relay.port, { 'CF-Ray': '1', Server: 'cloudflare' })
    proxy.on('upgrade', (request, socket: Socket, head) => {
      if (request.headers.upgrade !== 'websocket') {
        socket.end('HTTP/1.1 400 Bad Request\r\nServer: cloudflare\r\nContent-Length: 0\r\n\r\n')
        return
      }
      const passed = connect(relay.port, '127.0.0.1')
      const lines = request.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []))
      passed.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      passed.write(head)
      passed.on('error', () => socket.destroy()).pipe(socket)
      socket.on('error', () => passed.destroy()).pipe(passed)
    })
    const report = await reportOf(await listenOnLoopback(proxy))
    expect(conclusionOf(report)).toBe('upgrade: websocket-only')
    expect(outcomeOf(report, 'upgrade')).toBe('failed: upgrade-stripped')
  })

  const upgrading = (onUpgrade: (socket: Socket) => void) =>
    listenOnLoopback(
      createServer((_request, response) => noUpgrade(response)).on('upgrade', (_request, socket: Socket) => {
        onUpgrade(socket)
      }),
    )

  test.each<[string, (socket: Socket) => void, string]>([
    ['is refused', s => s.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'), 'upgrade: upgrade-refused'],
    ['ends the connection', s => s.end(), 'upgrade: upgrade-closed'],
    [
      'leads to another protocol',
      s => s.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'),
      'upgrade: upgrade-wrong',
    ],
  ])('one that %s', async (_what, onUpgrade, cause) => {
    expect(conclusionOf(await reportOf(await upgrading(onUpgrade)))).toBe(cause)
  })

  test('an upgrade without a response', async () => {
    const clock = clockOfNow()
    const server = await upgrading(() => clock.advance(STEP_MS))
    expect(conclusionOf(await reportOf(server, '/derp', { clock }))).toBe('upgrade: upgrade-silent')
  })
})

describe('WebSocket', () => {
  /** A proxy that forwards the upgrade to DERP, and responds to WebSocket upgrades itself. */
  async function reportBehind(answer: string) {
    await using relay = await ListeningRelay.start()
    const proxy = createServer((_request, response) => noUpgrade(response)).on('upgrade', (request, socket: Socket) => {
      if (request.headers.upgrade === 'websocket') {
        socket.end(`HTTP/1.1 ${answer}\r\n\r\n`)
        return
      }
      const passed = connect(relay.port, '127.0.0.1')
      passed.write('GET /derp HTTP/1.1\r\nHost: relay.test\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n')
      passed.on('error', () => socket.destroy()).pipe(socket)
      socket.on('error', () => passed.destroy()).pipe(passed)
    })
    return await reportOf(await listenOnLoopback(proxy))
  }

  const OPENED = '101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade'
  test.each([
    ['refuses it', '403 Forbidden\r\nContent-Length: 0', 'warning: websocket-refused'],
    ['opens one without a protocol', OPENED, 'warning: websocket-not-derp'],
    ['opens one that stays silent', `${OPENED}\r\nSec-WebSocket-Protocol: derp`, 'warning: websocket-not-derp'],
  ])('a proxy that %s is a warning: native clients do without', async (_what, answer, outcome) => {
    const report = await reportBehind(answer)
    expect([outcomeOf(report, 'websocket'), conclusionOf(report)]).toEqual([outcome, 'all is well'])
  })
})
