import { PermissionViolationError } from '@nats-io/transport-node'
import { expect, test, vi } from 'vitest'
import { joinBus, OWN, openBus } from '../../test/support/fake-nats.ts'
import { settle } from '../../test/support/settle.ts'
import { encodeUtf8 } from '../lib/bytes.ts'
import type { NatsBusOptions } from './nats-bus.ts'

const OTHER = '00000000000000bb'
const MIB = 1 << 20
const LOST = { type: 'disconnect', server: '192.0.2.1:4222' } as const
const BACK = { type: 'reconnect', server: '192.0.2.1:4222' } as const

/** A message that counts as so many bytes, with its subject. */
function messageOf(bytes: number): Uint8Array {
  return new Uint8Array(bytes - `derp.test.here.${OWN}`.length)
}

test('NatsBus subscribes, and is up once the server has answered that (P-320)', async () => {
  const { bus, nats, events } = await openBus()
  const { connection } = nats
  const broadcasts = ['beat', 'here', 'gone', 'find'].map(kind => `derp.test.${kind}.*`)
  expect([...connection.subscriptions.keys()]).toEqual([...broadcasts, `derp.test.to.${OWN}.*`])
  connection.deliver('derp.test.here.*', `derp.test.here.${OTHER}`)
  expect([bus.isUp, bus.broadcast('here', new Uint8Array(1)), events]).toEqual([false, false, []])
  connection.acknowledge()
  await settle()
  expect(events).toEqual([['connected to NATS', { server: '192.0.2.1:4222' }], 'up'])
  expect([bus.isUp, bus.broadcast('here', new Uint8Array(1)), bus.send(OTHER, new Uint8Array(1))]).toEqual([
    true,
    true,
    true,
  ])
  expect(connection.published).toEqual([
    `derp.test.to.${OWN}.${OWN}`,
    `derp.test.here.${OWN}`,
    `derp.test.to.${OTHER}.${OWN}`,
  ])
})

test('NatsBus delivers what relays send, and ignores subjects without a relay and errors (P-320)', async () => {
  const { connection, events } = await joinBus()
  connection.deliver('derp.test.here.*', `derp.test.here.${OTHER}`)
  connection.deliver(`derp.test.to.${OWN}.*`, `derp.test.to.${OWN}.${OTHER}`)
  connection.deliver('derp.test.here.*', 'derp.test.here.somebody')
  connection.deliver('derp.test.here.*', `derp.test.here.${OTHER}`, new Error('slow'))
  expect(events).toEqual([`${OTHER} says`, `${OTHER} tells`])
})

test.each([
  [64 << 10, [['connected to NATS', expect.anything()], 'up']],
  [(64 << 10) - 1, ['down: max_payload is 65535, expected at least 65536']],
])('NatsBus needs a max_payload of 64 KiB: %i (P-320)', async (maxPayload, expected) => {
  const { nats, events } = await openBus()
  nats.connection.info.max_payload = maxPayload
  nats.connection.acknowledge()
  await settle()
  expect(events).toEqual(expected)
})

test('NatsBus names its connection, keeps to the servers named, and never stops reconnecting (P-318)', async () => {
  const { nats } = await openBus()
  const [options = {}] = nats.attempts
  expect(options).toMatchObject({
    servers: ['one.example:4222', 'two.example:4222'],
    name: `derper ${OWN}`,
    noEcho: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    ignoreClusterUpdates: true,
  })
  for (const absent of ['user', 'pass', 'authenticator', 'tls']) expect(options).not.toHaveProperty(absent)
  const { pingInterval = 0, maxPingOut = 0 } = options
  expect(pingInterval * (maxPingOut + 1)).toBe(6_000)
})

test('NatsBus logs in with the account of the first URL that has one', async () => {
  const { nats } = await openBus({ servers: ['nats://one.example', 'nats://a%40b:p%2Fw@two.example'] })
  expect(nats.attempts).toMatchObject([{ servers: ['one.example', 'two.example'], user: 'a@b', pass: 'p/w' }])
})

test.each<[string, Partial<NatsBusOptions>, unknown]>([
  ['a URL says so', { servers: ['nats://one.example', 'tls://two.example'] }, {}],
  ['files are named', { tls: { caFile: 'ca.pem' } }, { caFile: 'ca.pem' }],
])('NatsBus uses TLS where %s', async (_, options, tls) => {
  const { nats } = await openBus(options)
  expect(nats.attempts[0]?.tls).toEqual(tls)
})

test('NatsBus reads credentials before each connection, and keeps them while they cannot be read', async () => {
  const read = vi.fn(async () => encodeUtf8('first'))
  const { nats, connection } = await joinBus({ readCredentials: read })
  const { authenticator } = nats.attempts[0] ?? {}
  if (typeof authenticator !== 'function') throw new Error('there is no authenticator')
  expect(authenticator()).toEqual({ auth_token: 'first' })
  read.mockResolvedValueOnce(encodeUtf8('second'))
  connection.report(LOST)
  await settle()
  expect(authenticator()).toEqual({ auth_token: 'second' })
  read.mockResolvedValueOnce(encodeUtf8('third'))
  connection.report({ type: 'reconnecting' })
  await settle()
  expect(authenticator()).toEqual({ auth_token: 'third' })
  read.mockRejectedValueOnce(new Error('no such file'))
  connection.report({ type: 'reconnecting' })
  connection.report(BACK)
  await settle()
  expect([authenticator(), read.mock.calls.length]).toEqual([{ auth_token: 'third' }, 4])
})

test('NatsBus tries again each second, says why, and shows no password (P-318)', async () => {
  const servers = ['nats://u:secret@one.example:4222', 'nats://two.example']
  const { nats, clock, events } = await openBus({
    servers,
    readCredentials: async () => {
      throw new Error('read creds: no such file')
    },
  })
  clock.advance(999)
  await settle()
  const down = 'down: connect to one.example:4222, two.example: read creds: no such file'
  expect([events, nats.attempts]).toEqual([[down], []])
  clock.advance(1)
  await settle()
  expect(events).toEqual([down, down])
})

test('NatsBus advises what its flags can do about a certificate', async () => {
  const { nats, clock, events } = await openBus({ servers: ['tls://one.example'] })
  nats.connection.end()
  const error = Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  nats.access = () => Promise.reject(error)
  await settle()
  clock.advance(1_000)
  await settle()
  expect(events.at(-1)).toBe(
    'down: connect to one.example: the certificate is self-signed (self-signed): have the server send its whole chain, or name the certificate of its CA in -nats-tls-ca',
  )
})

test('NatsBus reports that the client cannot be loaded', async () => {
  const failWith = (reason: unknown) => openBus({ loadClient: () => Promise.reject(reason) })
  expect((await failWith(new Error('no such module'))).events).toEqual(['down: load the NATS client: no such module'])
  expect((await failWith('text')).events).toEqual(['down: load the NATS client: text'])
})

test('NatsBus is down from the loss of its connection until the server answers again (P-318)', async () => {
  const { bus, connection, events } = await joinBus()
  connection.report(LOST)
  await settle()
  connection.deliver('derp.test.here.*', `derp.test.here.${OTHER}`)
  expect([bus.isUp, bus.broadcast('here', new Uint8Array(1))]).toEqual([false, false])
  connection.report({ type: 'reconnecting' })
  connection.report(BACK)
  await settle()
  expect([bus.isUp, events.splice(0)]).toEqual([false, ['down: connection to 192.0.2.1:4222 lost']])
  connection.acknowledge()
  await settle()
  expect([bus.isUp, events.at(-1)]).toEqual([true, 'up'])
})

test('NatsBus ignores answers that belong to an earlier connection (P-317, P-318)', async () => {
  const { bus, clock, nats, events } = await openBus()
  const { connection } = nats
  connection.report(LOST)
  connection.report(BACK)
  await settle()
  connection.acknowledge()
  await settle()
  expect([bus.isUp, events]).toEqual([false, ['down: connection to 192.0.2.1:4222 lost']])
  connection.acknowledge()
  await settle()
  bus.broadcast('here', messageOf(100))
  connection.report(LOST)
  connection.report(BACK)
  await settle()
  connection.acknowledge(1)
  await settle()
  bus.broadcast('here', messageOf(100))
  connection.acknowledge()
  await settle()
  expect(bus.isUp).toBe(true)
  clock.advance(2_001)
  expect(bus.isUp).toBe(false)
})

test.each([
  ['publish', 'publish'],
  ['subscription', 'subscribe'],
] as const)(
  'NatsBus is down once the server denies to %s, but not for other errors (P-320)',
  async (operation, word) => {
    const { bus, connection, events } = await joinBus()
    connection.report({ type: 'error', error: new Error('slow consumer') })
    connection.report({ type: 'staleConnection' })
    await settle()
    expect([bus.isUp, events]).toEqual([true, []])
    connection.report({ type: 'error', error: new PermissionViolationError('denied', operation, 'derp.x') })
    await settle()
    expect([bus.isUp, events]).toEqual([false, [`down: not permitted to ${word} to derp.x`]])
  },
)

test.each([
  [undefined, 'the connection was closed'],
  [new Error('parser error'), 'parser error'],
])('NatsBus connects anew a second after the client has given up: %s (P-318)', async (error, reason) => {
  const { bus, clock, nats, connection, events } = await joinBus()
  connection.end(error)
  expect([bus.isUp, bus.broadcast('here', new Uint8Array(1)), connection.flushes]).toEqual([true, false, 1])
  await settle()
  expect([bus.isUp, events, nats.attempts.length]).toEqual([false, [`down: ${reason}`], 1])
  clock.advance(1_000)
  await settle()
  nats.connection.acknowledge()
  await settle()
  expect([bus.isUp, nats.attempts.length]).toEqual([true, 2])
})

test('NatsBus is stalled, with messages accepted, after 2 s without an answer (P-317)', async () => {
  const { bus, clock, connection } = await joinBus()
  clock.advance(10_000)
  expect(bus.isUp).toBe(true)
  bus.broadcast('here', messageOf(100))
  clock.advance(2_000)
  expect([bus.isUp, bus.broadcast('here', messageOf(100)), connection.flushes]).toEqual([true, true, 2])
  clock.advance(1)
  expect([bus.isUp, bus.broadcast('here', messageOf(100))]).toEqual([false, true])
  connection.acknowledge()
  await settle()
  expect([bus.isUp, connection.flushes]).toEqual([true, 3])
  connection.acknowledge()
  await settle()
  clock.advance(10_000)
  expect([bus.isUp, connection.flushes]).toEqual([true, 3])
})

test('NatsBus leaves 8 MiB unacknowledged, and refuses the rest until half is acknowledged (P-317)', async () => {
  const { bus, connection } = await joinBus()
  const send = (bytes: number) => bus.broadcast('here', messageOf(bytes))
  expect([send(1 * MIB), send(7 * MIB), bus.isUp, send(100), bus.isUp]).toEqual([true, true, true, false, false])
  connection.acknowledge()
  await settle()
  expect([bus.isUp, send(100)]).toEqual([false, false])
  connection.acknowledge()
  await settle()
  expect([bus.isUp, send(4 * MIB), send(4 * MIB), send(100)]).toEqual([true, true, true, false])
  connection.acknowledge()
  await settle()
  expect([bus.isUp, send(4 * MIB), send(100)]).toEqual([true, true, false])
})

test('NatsBus sends what it accepted before it closes, and then is silent', async () => {
  const { bus, clock, nats, connection, events } = await joinBus()
  bus.broadcast('gone', new Uint8Array(1))
  connection.acknowledge()
  await settle()
  const closed = bus.close()
  await settle()
  expect(connection.isClosed).toBe(false)
  connection.acknowledge()
  await closed
  expect([connection.isClosed, bus.isUp, bus.broadcast('here', new Uint8Array(1))]).toEqual([true, false, false])
  await settle()
  expect(clock.pendingTimers).toBe(0)
  clock.advance(10_000)
  await settle()
  expect([nats.attempts.length, events]).toEqual([1, []])
})

test('NatsBus closes after 1 s where the server does not answer, at once where there is none', async () => {
  const frozen = await joinBus()
  const closed = frozen.bus.close()
  frozen.clock.advance(999)
  await settle()
  expect(frozen.connection.isClosed).toBe(false)
  frozen.clock.advance(1)
  await closed
  expect(frozen.connection.isClosed).toBe(true)
  const ended = await joinBus()
  const closing = ended.bus.close()
  ended.connection.end()
  await closing
  const lost = await joinBus()
  lost.connection.report(LOST)
  await settle()
  await lost.bus.close()
  expect([lost.connection.isClosed, lost.clock.pendingTimers]).toEqual([true, 0])
})

test('NatsBus that is closed while it connects or subscribes does not come up', async () => {
  const connecting = Promise.withResolvers<void>()
  const late = await openBus()
  late.nats.connection.end()
  late.nats.access = () => connecting.promise
  await settle()
  late.clock.advance(1_000)
  await settle()
  await late.bus.close()
  connecting.resolve()
  await settle()
  expect([late.nats.connections.length, late.nats.connection.isClosed]).toEqual([2, true])
  expect(late.nats.connection.subscriptions.size).toBe(0)
  const subscribing = await openBus()
  subscribing.nats.connection.acknowledge()
  await subscribing.bus.close()
  await settle()
  expect([subscribing.bus.isUp, subscribing.events]).toEqual([false, []])
})
