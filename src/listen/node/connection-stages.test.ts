import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { HttpCounters } from '../../metrics/http-counters.ts'
import { RelayTls } from '../../tls/relay-tls.ts'
import { AcceptDeadlines } from '../accept-deadline.ts'
import { AcceptPace } from '../accept-pace.ts'
import { UpgradeHeadReader } from '../upgrade-head.ts'
import { Connection, type Stage } from './accepted-connection.ts'
import { AuthorityHandshakes } from './authority-handshakes.ts'
import { begin, connectionStages, type StageContext } from './connection-stages.ts'
import type { LookForPlainHttp } from './plain-http.ts'
import { ProxyGate } from './proxy-gate.ts'
import { TlsHandshakes } from './tls-handshakes.ts'

const REQUEST = 'GET /derp HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'

/** A socket from `remoteAddress`, and its client end. */
function socketFrom(remoteAddress: string | undefined): { socket: Socket; client: ReturnType<typeof duplexPair>[0] } {
  const [client, served] = duplexPair()
  return { socket: Object.assign(served, { remoteAddress, remotePort: 4711 }) as unknown as Socket, client }
}

interface SetUp {
  readonly clock: FakeClock
  readonly stages: readonly Stage[]
  readonly done: string[]
}

function setUp(parts: Partial<StageContext> = {}): SetUp {
  const clock = new FakeClock({ turns: 'manual' })
  const done: string[] = []
  const pace = new AcceptPace<Connection>(clock, 1, connection => connection.proceed())
  const handshakes = new TlsHandshakes(createTlsServer(), () => {})
  const authorities = noAuthority()
  const stages = connectionStages({
    limits: undefined,
    deadlines: new AcceptDeadlines(clock, 10_000, () => done.push('expired')),
    proxyGate: undefined,
    tls: { pace, authorities, handshakes },
    heads: new UpgradeHeadReader(),
    onAccepted: () => done.push('accepted'),
    onRefused: () => done.push('refused'),
    takeUpgrade: ({ source }, { head }) => done.push(`taken ${source?.address} ${Buffer.from(head)}`) > 0,
    serveHttp: ({ socket }) => done.push(`HTTP ${socket.read()}`),
    ...parts,
  })
  return { clock, stages, done }
}

/** For a relay without ACME. */
function noAuthority(): AuthorityHandshakes {
  return new AuthorityHandshakes(new RelayTls({ hostname: 'relay.test', metaCertificate: '' }), () => {})
}

/** Runs one stage, and records whether the connection proceeds. */
function run({ stages, done }: SetUp, name: string, socket: Socket): Connection {
  const stage = stages.find(one => one.name === name)
  if (stage === undefined) throw new Error(`no stage ${name}`)
  const connection = new Connection(socket, [stage, { name: '', clause: '', run: () => done.push('proceeds') }])
  connection.proceed()
  return connection
}

function gate(): ProxyGate {
  return new ProxyGate({ trustedProxies: ['192.0.2.9'], sendHeaders: true, counters: new HttpCounters() })
}

test('a connection passes these stages in this order, as docs/understand/architecture.md lists them', () => {
  const { stages } = setUp({ proxyGate: gate() })
  const told = readFileSync(new URL('../../../docs/understand/architecture.md', import.meta.url), 'utf8')
  const rows = [...told.matchAll(/^\| \d \| (.*?) \| (P-\d{3}) \|/gm)].map(([, name, clause]) => [name, clause])
  expect(rows).toEqual(stages.map(({ name, clause }) => [name, clause]))
})

test('plain HTTP without PROXY headers has fewer stages', () => {
  expect(setUp({ tls: undefined }).stages.map(({ name }) => name)).toEqual([
    'number',
    'deadline',
    'source and rate',
    'first bytes',
  ])
})

test.each([true, false])('stage "number" applies the connection limit: %s (P-109)', isRoom => {
  const set = setUp({ limits: { open: () => isRoom, admit: () => true, failed: () => {} } })
  const { socket } = socketFrom('192.0.2.1')
  run(set, 'number', socket)
  expect([set.done, socket.destroyed]).toEqual([[isRoom ? 'proceeds' : 'refused'], !isRoom])
})

test('stage "deadline" starts the login timeout (P-035)', () => {
  const set = setUp()
  const { socket } = socketFrom('192.0.2.1')
  run(set, 'deadline', socket)
  set.clock.advance(10_000)
  expect([set.done, socket.destroyed]).toEqual([['proceeds', 'expired'], true])
})

test('stage "deadline" ends connections that were reset before they were read', () => {
  const set = setUp()
  const { socket } = socketFrom(undefined)
  run(set, 'deadline', socket)
  expect([set.done, socket.destroyed, set.clock.pendingTimers]).toEqual([[], true, 0])
})

test('stage "PROXY header" reads the client’s address (P-126)', async () => {
  const set = setUp({ proxyGate: gate() })
  const { socket, client } = socketFrom('192.0.2.9')
  const connection = run(set, 'PROXY header', socket)
  client.write('PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\nrest')
  await expect.poll(() => set.done).toEqual(['proceeds'])
  expect(connection.source).toEqual({ address: '192.0.2.1', port: 4711 })
  expect(String(connection.socket.read())).toBe('rest')
})

test.each([true, false])('stage "source and rate" applies the limits of a source: %s (P-108, P-109)', isAdmitted => {
  const sources: unknown[] = []
  const admit = (_: unknown, address: string | undefined) => sources.push(address) > 0 && isAdmitted
  const set = setUp({ limits: { open: () => true, admit, failed: () => {} }, proxyGate: gate() })
  const { socket } = socketFrom('192.0.2.1')
  run(set, 'source and rate', socket)
  run(set, 'source and rate', socketFrom('192.0.2.9').socket)
  expect(sources).toEqual(['192.0.2.1', undefined])
  expect(set.done.slice(0, 2)).toEqual(isAdmitted ? ['accepted', 'proceeds'] : ['refused', 'refused'])
  expect(socket.destroyed).toBe(!isAdmitted)
})

test('stage "pace" starts one connection per turn (P-110)', () => {
  const set = setUp()
  for (let n = 0; n < 3; n++) run(set, 'pace', socketFrom('192.0.2.1').socket)
  expect(set.done).toEqual(['proceeds'])
  set.clock.runTurn()
  expect(set.done).toEqual(['proceeds', 'proceeds'])
})

test('stage "TLS" passes the raw socket to the TLS server (P-142)', () => {
  const server = createServer()
  const handed: unknown[] = []
  server.on('connection', socket => handed.push(socket))
  const clock = new FakeClock()
  const pace = new AcceptPace<Connection>(clock, 1, connection => connection.proceed())
  const handshakes = new TlsHandshakes(server as ReturnType<typeof createTlsServer>, () => {})
  const { socket } = socketFrom('192.0.2.1')
  const set = setUp({ tls: { pace, authorities: noAuthority(), handshakes } })
  const connection = run(set, 'TLS', socket)
  expect([handed, set.done]).toEqual([[socket], []])
  handshakes.expect(connection)
  const secured = Object.assign(socketFrom('192.0.2.1').socket, { _parent: socket })
  server.emit('secureConnection', secured)
  expect([connection.socket, connection.raw, set.done]).toEqual([secured, socket, ['proceeds']])
})

test.each([
  [true, 'refused'],
  [false, 'proceeds'],
])('stage "plain HTTP" asks the runtime whether a connection is that: %s, %s (P-142)', (isPlainHttp, outcome) => {
  const { clock, done } = setUp()
  const pace = new AcceptPace<Connection>(clock, 1, connection => connection.proceed())
  const handshakes = new TlsHandshakes(createTlsServer(), () => {})
  const { socket } = socketFrom('192.0.2.1')
  const look: LookForPlainHttp = (seen, judged) => judged(seen === socket && isPlainHttp)
  const refuse = ({ raw }: Connection) => void (raw === socket && done.push('refused'))
  const tls = { pace, authorities: noAuthority(), handshakes, plainHttp: { look, refuse } }
  const { stages } = setUp({ tls })
  expect(stages.map(({ name }) => name).slice(-4)).toEqual(['authority', 'plain HTTP', 'TLS', 'first bytes'])
  run({ clock, stages, done }, 'plain HTTP', socket)
  expect(done).toEqual([outcome])
})

test.each([
  ['is for DERP, is taken', `${REQUEST}more`, 'taken undefined more'],
  ['is another, goes to HTTP', 'GET / HTTP/1.1\r\n', 'HTTP GET / HTTP/1.1\r\n'],
])('stage "first bytes": a connection that %s (P-120)', async (_, text, outcome) => {
  const set = setUp()
  const { socket, client } = socketFrom('192.0.2.1')
  run(set, 'first bytes', socket)
  client.write(text)
  await expect.poll(() => set.done).toEqual([outcome])
})

test('stage "first bytes": a client that ends before it sends any is answered with an end (P-120)', async () => {
  const { socket, client } = socketFrom('192.0.2.1')
  run(setUp(), 'first bytes', socket)
  const ended = once(client.resume(), 'end')
  client.end()
  await ended
  expect(socket.writableEnded).toBe(true)
})

test('an error of a connection is left to its close', () => {
  const { socket } = socketFrom('192.0.2.1')
  begin(socket, [])
  expect(() => socket.emit('error', new Error('read: reset'))).not.toThrow()
})

test('a connection passes all stages on its own', async () => {
  const set = setUp({ proxyGate: gate(), tls: undefined })
  const { socket, client } = socketFrom('192.0.2.9')
  begin(socket, set.stages)
  client.write('PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n')
  client.write(REQUEST)
  await expect.poll(() => set.done).toEqual(['accepted', 'taken 192.0.2.1 '])
})
