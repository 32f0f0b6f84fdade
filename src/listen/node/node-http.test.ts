import { once } from 'node:events'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { exchange } from '../../../test/support/raw-http.ts'
import { settle, until } from '../../../test/support/settle.ts'
import { AcceptDeadlines } from '../accept-deadline.ts'
import type { HttpAnswer, HttpReply, HttpService } from '../http-service.ts'
import { Connection } from './accepted-connection.ts'
import { NodeHttp, type NodeHttpOptions } from './node-http.ts'

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'
const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
const OK: HttpReply = { status: 200, body: 'ok' }
const GRANT: HttpAnswer = { protocol: 'derp', responseHead: '', remote: undefined, accept: () => {} }

/** Grants every `/derp`; `/slow` is not answered until `release` is called. */
function setUp(options: Partial<NodeHttpOptions> = {}) {
  const clock = new FakeClock()
  const slow = Promise.withResolvers<HttpReply>()
  const observed: unknown[] = []
  const upgrades: (number | undefined)[] = []
  const routes: HttpService = {
    answer: ({ target }) => (target === '/derp' ? GRANT : target === '/slow' ? slow.promise : OK),
  }
  const upgrade = (...[, , , acceptedAtMs]: Parameters<NonNullable<NodeHttpOptions['upgrade']>>) =>
    void upgrades.push(acceptedAtMs)
  const http = new NodeHttp({ routes, upgrade, ...options }, clock, socket => observed.push(socket))
  const deadlines = new AcceptDeadlines(clock, 10_000, () => {})
  const connect = () => {
    const [client, served] = duplexPair() as unknown as [Socket, Socket]
    const connection = new Connection(served, [])
    connection.deadline = deadlines.begin(served)
    http.serve(connection)
    return { client, served }
  }
  return { clock, http, connect, observed, upgrades, release: () => slow.resolve(OK) }
}

test('closeIdle ends connections that wait for another request, and no others (P-107)', async () => {
  const { http, connect, release } = setUp()
  const [silent, idle, busy] = [connect(), connect(), connect()]
  await exchange(idle.client, GET)
  const response = exchange(busy.client, GET.replace('/', '/slow'))
  await settle()
  http.closeIdle()
  expect([silent, idle, busy].map(({ served }) => served.destroyed)).toEqual([false, true, false])
  release()
  expect((await response).status).toBe(200)
  await settle()
  http.closeIdle()
  expect([silent.served.destroyed, busy.served.destroyed]).toEqual([false, true])
})

test('close ends all connections that are not upgraded (P-107)', async () => {
  const { http, connect, observed, upgrades } = setUp()
  const [silent, idle, upgraded] = [connect(), connect(), connect()]
  await exchange(idle.client, GET)
  upgraded.client.write(UPGRADE)
  await until(() => upgrades.length === 1, 'the request is read')
  http.close()
  expect([silent, idle, upgraded].map(({ served }) => served.destroyed)).toEqual([true, true, false])
  expect(observed).toEqual([idle.served, upgraded.served])
})

test('an upgrade is told when its connection was accepted, if it is the first request (P-035)', async () => {
  const { clock, connect, upgrades } = setUp()
  clock.advance(7)
  const [first, later] = [connect(), connect()]
  await exchange(later.client, GET)
  for (const { client } of [first, later]) client.write(UPGRADE)
  await until(() => upgrades.length === 2, 'the requests are read')
  expect(upgrades).toEqual([7, undefined])
})

test('a connection that closes before its reply leaves no timer (P-107)', async () => {
  const { clock, connect, observed } = setUp()
  const { client, served } = connect()
  client.write(GET.replace('/', '/slow'))
  await until(() => observed.length === 1, 'the request is read')
  expect(clock.timersInMs).toContain(120_000)
  const closed = once(served, 'close')
  served.destroy()
  await closed
  await settle()
  expect(clock.pendingTimers).toBe(0)
})

test('a connection that closes while it is idle leaves no timer (P-107)', async () => {
  const { clock, connect } = setUp()
  const { client, served } = connect()
  await exchange(client, GET)
  await settle()
  expect(clock.pendingTimers).toBe(1)
  const closed = once(served, 'close')
  served.destroy()
  await closed
  expect(clock.pendingTimers).toBe(0)
})

test('an upgrade without a Connection header gets status 426 and no upgrade (P-120)', async () => {
  const { connect, upgrades } = setUp()
  const { client } = connect()
  const { status, headers } = await exchange(client, 'GET /derp HTTP/1.1\r\nHost: h\r\nUpgrade: DERP\r\n\r\n')
  expect([status, headers.get('content-length'), upgrades]).toEqual([426, '0', []])
  expect((await exchange(client, GET)).status).toBe(200)
})

test('a request’s head is at most 16 KiB long, or as long as the option says (P-107)', async () => {
  const withHead = (bytes: number) => GET.replace('\r\n\r\n', `\r\nX: ${'x'.repeat(bytes)}\r\n\r\n`)
  const statusOf = async (options: Partial<NodeHttpOptions>, bytes: number) =>
    (await exchange(setUp(options).connect().client, withHead(bytes))).status
  expect(await statusOf({}, 16_000)).toBe(200)
  expect(await statusOf({}, 17_000)).toBe(431)
  expect(await statusOf({ maxHeaderBytes: 1_000 }, 900)).toBe(200)
  expect(await statusOf({ maxHeaderBytes: 1_000 }, 1_100)).toBe(431)
})
