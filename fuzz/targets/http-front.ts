/** A plain listener of the whole relay, with PROXY headers and without: any bytes, then the end of them. */

import { FakeClock } from '../../test/support/fake-clock.ts'
import { ListeningRelay } from '../../test/support/listening-relay.ts'
import { until } from '../../test/support/settle.ts'
import { type FuzzTarget, must } from '../engine/target.ts'
import { InputReader, splitBy } from '../support/input-reader.ts'
import { exchange } from '../support/loopback.ts'

const SIZES = 4
/** Statuses that a request may get; 500 is none of them. */
const STATUSES = [
  101, 200, 204, 206, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 408, 413, 414, 417, 421, 426, 429, 431, 501,
  503, 505,
]
/** Before the response proper. */
const CONTINUE = 100
/** What the two relays have for all their connections together: intervals, and deadlines that may fire for nothing. */
const SHARED_TIMERS = 8
const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: derp.example\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n'
const clock = new FakeClock()

let relays: Promise<readonly [ListeningRelay, ListeningRelay]> | undefined

function started(): Promise<readonly [ListeningRelay, ListeningRelay]> {
  const trustedProxies = ['127.0.0.0/8']
  relays ??= Promise.all([
    ListeningRelay.start({ clock }),
    ListeningRelay.start({ clock, trustedProxies, sendProxyHeaders: true }),
  ])
  return relays
}

export const target: FuzzTarget = {
  about:
    'Any bytes in pieces, then the end: the connection is closed without waiting for a time limit; what comes back are whole HTTP responses with statuses of a list without 500, at most one per request line, or DERP after a 101; no connection, login or timer is left.',
  seeds: [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /generate_204 HTTP/1.1\r\nHost: a\r\nX-Tailscale-Challenge: abc\r\n\r\nGET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n',
    'HEAD /derp/probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'POST /derp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'GET /bootstrap-dns?q=a HTTP/1.0\r\n\r\n',
    'GET http://x/derp/latency-check HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
    `${UPGRADE}\x02\0\0\0\x38`,
    `${UPGRADE.replace('\r\n\r\n', '\r\nDerp-Fast-Start: 1\r\n\r\n')}abc`,
    'GET /derp HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: derp\r\n\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /debug/ HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET //a/../debug/vars?x=%zz HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n',
  ].flatMap((text, at) =>
    [0, 1].map(which => Buffer.concat([Buffer.from([which, 200, 60, 20, at]), Buffer.from(text, 'latin1')])),
  ),
  words: [
    'HTTP/1.1\r\n',
    'Host: a\r\n',
    '\r\n\r\n',
    'Connection: ',
    'keep-alive',
    'close',
    'Upgrade',
    'Content-Length: ',
    'Transfer-Encoding: chunked',
    'Expect: 100-continue',
    '/derp',
    '/debug/',
    '/metrics',
    '/healthz',
    '/.well-known/acme-challenge/',
    'OPTIONS * ',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ],
  maxBytes: 2_048,
  // Which malformed requests are noticed, and when, is up to the HTTP library of the platform.
  isOfRuntime: true,
  run: async input => {
    const reader = new InputReader(input)
    const relay = (await started())[reader.below(2)] as ListeningRelay
    const sizes = reader.take(SIZES)
    const bytes = Buffer.from(reader.rest())
    const { received } = await exchange(relay.port, splitBy(sizes, bytes))
    const { core } = relay.relay
    await until(() => core.sessions.size === 0 && core.pendingLogins === 0, 'no session is left')
    await until(() => clock.pendingTimers <= SHARED_TIMERS, 'no timer of a connection is left')
    const statuses = readResponses(received)
    for (const status of statuses) must(STATUSES.includes(status), `a status of the list, not ${status}`)
    const lines = bytes.toString('latin1').split('\n').length
    must(statuses.length <= lines, 'there is at most one response per line')
    return statuses.join(' ')
  },
}

/** Statuses of whole responses, one after the other. */
function readResponses(received: Buffer): number[] {
  const statuses: number[] = []
  let rest = received
  while (rest.length > 0) {
    // Fast start: DERP begins at once.
    if (statuses.length === 0 && rest[0] === 0x01) return [101]
    const end = rest.indexOf('\r\n\r\n')
    must(end >= 0, 'a response is whole')
    const head = rest.toString('latin1', 0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
    must(Number.isInteger(status), `a response has a status: ${JSON.stringify(head.slice(0, 60))}`)
    if (status === CONTINUE) {
      rest = rest.subarray(end + 4)
      continue
    }
    statuses.push(status)
    if (status === 101) break
    rest = rest.subarray(end + 4 + bodyLength(head, rest.subarray(end + 4)))
  }
  return statuses
}

/** Length of the body; the answer to HEAD has none, which is seen by what follows. */
function bodyLength(head: string, after: Buffer): number {
  if (/^transfer-encoding: chunked$/im.test(head)) {
    const end = after.indexOf('0\r\n\r\n')
    must(end >= 0, 'a chunked body is whole')
    return end + 5
  }
  const told = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
  const isHead = after.length === 0 || after.toString('latin1', 0, 9) === 'HTTP/1.1 '
  if (isHead) return 0
  must(after.length >= told, 'a body is whole')
  return told
}
