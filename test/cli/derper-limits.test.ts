import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { type Program, startProgram } from '../support/process.ts'
import { exchange, request } from '../support/raw-http.ts'
import { longestRecord, RECORD_OVERHEAD } from '../support/record-lengths.ts'
import { startOurRelay, startOurTlsRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'
import { hasSs, keepAliveSeconds } from '../support/socket-timers.ts'
import { TlsRecorder } from '../support/tls-recorder.ts'

const DERPER = commandPath('derper')
const NEVER = '0.000001'
/** Connections of a process that may open 128 files. */
const BUDGET = 64

const targetOf = ({ url }: { url: string }) => new Target({ url, carriage: 'raw', like: 'ours', debug: true })

/** The status of a probe on a new connection; 0 if that was closed. */
async function probe(port: number): Promise<number> {
  return (await request(port, 'GET /derp/probe', ['Connection: close']).catch(() => ({ status: 0 }))).status
}

/** Opens a connection. Resolves once it is open; it may be closed again soon. */
async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  await once(socket.resume(), 'connect')
  return socket
}

/** Opens connections until one gets a response; it stays open. Calls `onRefused` for each refused one. */
async function answered(port: number, onRefused: () => void): Promise<Socket> {
  for (;;) {
    const socket = await open(port)
    const isIn = await exchange(socket, 'GET /derp/probe HTTP/1.1\r\nHost: relay\r\n\r\n').catch(() => undefined)
    if (isIn !== undefined) return socket
    onRefused()
  }
}

/** Lines of the log with this message. */
const logged = ({ stderr }: Program, message: string) => stderr.split('\n').filter(line => line.includes(message))

async function refused(relay: { url: string }): Promise<Record<string, number>> {
  const own = (await targetOf(relay).vars())['derphttp'] as Record<string, Record<string, number>>
  return own['counter_connections_refused'] ?? {}
}

test('derper closes connections beyond -accept-connection-limit and keeps serving (P-108)', async () => {
  const relay = await startOurRelay(['-accept-connection-limit', '0.1', '-accept-connection-burst', '3'])
  const statuses: number[] = []
  for (let n = 0; n < 6; n++) statuses.push(await probe(relay.port))
  expect(statuses).toEqual([200, 200, 200, 0, 0, 0])
  await expect.poll(() => logged(relay.program, 'connections refused')).toHaveLength(1)
  expect(relay.program.child.exitCode).toBeNull()
  await relay.stop()
})

test('derper with a limit but no burst allows one second’s worth (P-108)', async () => {
  const relay = await startOurRelay(['-accept-connection-limit', '1.5'])
  expect([await probe(relay.port), await probe(relay.port), await probe(relay.port)]).toEqual([200, 200, 0])
  await relay.stop()
})

test('derper limits sources, connections and clients by its flags (P-109)', async () => {
  const twice = ['-accept-connection-limit-per-source', NEVER, '-accept-connection-burst-per-source', '2']
  const bySource = await startOurRelay(twice)
  const statuses = [await probe(bySource.port), await probe(bySource.port), await probe(bySource.port)]
  expect(statuses).toEqual([200, 200, 0])
  await bySource.stop()

  const byNumber = await startOurRelay(['-max-connections-per-source', '2', '-max-clients', '1'])
  const target = targetOf(byNumber)
  const client = await target.login()
  await expect(target.login()).rejects.toThrow()
  // Until the relay has noticed that a connection is closed, it refuses and counts the next.
  let refusals = 0
  const other = await answered(byNumber.port, () => refusals++)
  expect(await probe(byNumber.port)).toBe(0)
  refusals++
  other.destroy()
  const counted = () => refused(byNumber).catch(() => void refusals++)
  await expect.poll(async () => (await counted())?.['source_connections'] === refusals).toBe(true)
  await client.sync()
  target.closeAll()
  await expect.poll(() => logged(byNumber.program, 'logins refused')).toHaveLength(1)
  await byNumber.stop()

  const inAll = await startOurRelay(['-max-connections', '1'])
  const only = await open(inAll.port)
  expect(await probe(inAll.port)).toBe(0)
  only.destroy()
  await inAll.stop()
})

test.each([
  ['by itself', []],
  ['whatever -max-connections says', ['-max-connections', '1000000']],
])('derper flooded to its descriptor limit leaves some for its own use, %s (P-109)', async (_, flags) => {
  // Opening all may take a while on a busy machine.
  const patient = ['-login-timeout', '10m']
  const limited = ['-c', 'ulimit -n 128 && exec "$0" "$@"', RUNTIME_PATH, DERPER]
  const flooded = await startProgram('bash', [
    ...limited,
    '-dev',
    '-a',
    '127.0.0.1:0',
    '-stun=false',
    ...patient,
    ...flags,
  ])
  const { port } = await served(flooded)
  const relay = { url: `http://127.0.0.1:${port}/derp` }
  const target = targetOf(relay)
  const [a, b] = [await target.login(), await target.login()]
  const sockets = await Promise.all(Array.from({ length: 300 }, () => open(port)))
  await expect.poll(() => sockets.filter(({ closed }) => closed).length).toBe(300 + 2 - BUDGET)
  a.packet(b.publicKey, 'still there')
  expect(await b.messageOf('receivedPacket')).toMatchObject({ source: a.publicKey })
  for (const socket of sockets) socket.destroy()
  // Until the relay has noticed that they are closed, it may also refuse a probe.
  let probes = 0
  await expect.poll(() => ++probes && probe(port)).toBe(200)
  const { connections } = await refused(relay)
  expect(connections).toBe(300 + 2 + (probes - 1) - BUDGET)
  expect(flooded.stderr.includes('-max-connections is 1000000, but')).toBe(flags.length > 0)
  target.closeAll()
  await flooded.stop()
})

test('derper closes silent connections after -login-timeout, and refuses headers above -max-header-bytes (P-035, P-107)', async () => {
  const hasty = await startOurRelay(['-login-timeout', '200ms'])
  await once(await open(hasty.port), 'close')
  await hasty.stop()
  const relay = await startOurRelay(['-max-header-bytes', '2000'])
  const padded = (bytes: number) => request(relay.port, 'GET /derp/probe', [`X-Padding: ${'x'.repeat(bytes)}`])
  expect([(await padded(1_000)).status, (await padded(3_000)).status]).toEqual([200, 431])
  await relay.stop()
})

test.runIf(hasSs)('derper enables TCP keep-alive after -tcp-keepalive-time (P-106)', async () => {
  for (const [flags, most] of [
    [[], 600],
    [['-tcp-keepalive-time', '20500ms'], 21],
    [['-tcp-keepalive-time', '0'], 15],
  ] as const) {
    const relay = await startOurRelay(flags)
    const socket = await open(relay.port)
    const timers = async () => (await keepAliveSeconds(relay.port)).map(left => left <= most && left > most - 10)
    await expect.poll(timers).toEqual([true])
    socket.destroy()
    await relay.stop()
  }
  const never = await startOurRelay(['-tcp-keepalive-time=-1s'])
  const socket = await open(never.port)
  expect(await keepAliveSeconds(never.port)).toEqual([Number.NaN])
  socket.destroy()
  await never.stop()
})

test('derper warns if the open files limit allows only a few connections (P-109)', async () => {
  const flags = ['check-config', '-dev']
  const program = await startProgram('bash', ['-c', 'ulimit -n 256 && exec "$0" "$@"', RUNTIME_PATH, DERPER, ...flags])
  const note = await program.lineWhere(line => (line.includes('open files') ? line : undefined))
  expect(note).toMatch(/^ {2}note: the open files limit allows only 192 connections; raise it/)
  expect(await program.exit()).toBe(0)
})

test('derper warns once about flags without effect (P-106, P-108)', async () => {
  const relay = await startOurRelay(['-tcp-user-timeout', '15s', '-accept-connection-burst', '5'])
  expect(logged(relay.program, 'has no effect')).toEqual([
    expect.stringContaining('-accept-connection-burst has no effect: -accept-connection-limit is not set'),
    expect.stringContaining(
      '-tcp-user-timeout has no effect: neither Node nor Bun can set this option; -tcp-write-timeout disconnects',
    ),
  ])
  await relay.stop()
  const plain = await startOurRelay()
  expect(logged(plain.program, 'has no effect')).toEqual([])
  await plain.stop()
})

test.each([
  ['by default', [], 4_096],
  ['on workers', ['-workers', '2'], 4_096],
  ['when lifted', ['-tls-record-bytes', '0'], 16_384],
] as const)('derper sends TLS records of at most -tls-record-bytes, %s (P-156)', async (_, flags, most) => {
  const relay = await startOurTlsRelay(flags)
  await using recorder = await TlsRecorder.start({ port: relay.port })
  const tls = { carriage: 'raw', like: 'ours', ca: relay.ca } as const
  const direct = new Target({ ...tls, url: relay.url })
  const recorded = new Target({ ...tls, url: `https://localhost:${recorder.port}/derp` })
  const longest = await longestRecord(recorder, await direct.login(), await recorded.login())
  expect(longest).toBeGreaterThan(most)
  expect(longest).toBeLessThanOrEqual(most + RECORD_OVERHEAD)
  direct.closeAll()
  recorded.closeAll()
  await relay.stop()
})
