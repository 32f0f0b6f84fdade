/** `derper -workers`: one relay on several threads. */

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Target } from '../conformance/target.ts'
import { CRASH_HOOK } from '../support/crash-hook.ts'
import type { RawClient } from '../support/raw-client.ts'
import { request } from '../support/raw-http.ts'
import { type RunningRelay, startOurRelay, startOurTlsRelay } from '../support/relays.ts'
import { RUNTIME_NAME } from '../support/runtime.ts'

/** Connections are balanced randomly: fewer than one run in a million has this many on one worker. */
const CLIENTS = 24
const NEVER = '0.000001'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'derper-workers-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const running: { target: Target; relay: RunningRelay }[] = []
afterEach(async () => {
  for (const { target, relay } of running.splice(0)) {
    target.closeAll()
    await relay.stop()
  }
})

async function startTls(args: readonly string[] = [], env: Record<string, string> = {}) {
  const relay = await startOurTlsRelay(['-workers', '2', ...args], env)
  const target = new Target({ url: relay.url, ca: relay.ca, carriage: 'raw', like: 'ours', debug: true })
  running.push({ target, relay })
  return { relay, target }
}

async function startPlain(args: readonly string[]) {
  const relay = await startOurRelay(['-workers', '2', ...args])
  const target = new Target({ url: relay.url, carriage: 'raw', like: 'ours', debug: true })
  running.push({ target, relay })
  return { relay, target }
}

const login = (target: Target, count = CLIENTS) => Promise.all(Array.from({ length: count }, () => target.login()))

/** Each sends to all others, and all packets arrive. */
async function expectAllReached(clients: readonly RawClient[]): Promise<void> {
  for (const from of clients) {
    const others = clients.filter(client => client !== from)
    for (const { publicKey } of others) from.packet(publicKey, 'to all')
    for (const to of others) {
      while (!(await to.messageOf('receivedPacket')).source.equals(from.publicKey)) {
        // Of the load.
      }
    }
  }
}

/** Our own metrics, by name. */
async function own(target: Target): Promise<Record<string, unknown>> {
  return (await target.vars())['derphttp'] as Record<string, unknown>
}

async function expectConsistent(target: Target): Promise<void> {
  expect((await target.http('/debug/check')).body).toBe('derp.Server ConsistencyCheck okay')
}

/** Lines of the log with this message, read. */
const logged = ({ program }: RunningRelay, message: string) =>
  program.stderr
    .split('\n')
    .filter(line => line.includes(`"msg":"${message}"`))
    .map(line => JSON.parse(line) as Record<string, unknown>)

describe.skipIf(process.platform !== 'linux')('derper -workers 2', () => {
  test('relays between clients of all workers, and serves pages for the whole relay', async () => {
    const { relay, target } = await startTls()
    const clients = await login(target)
    await expectAllReached(clients)
    for (let n = 0; n < 4; n++) {
      expect(await own(target)).toMatchObject({ gauge_workers: 2, counter_worker_crashes: 0, gauge_ready: 1 })
      const page = JSON.parse((await target.http('/debug/clients/?format=json')).body) as { conns: number }
      expect(page.conns).toBe(CLIENTS)
      expect((await target.http('/readyz')).body).toBe('ready\n')
    }
    await expectConsistent(target)
    const derp = (await target.vars())['derp'] as Record<string, number>
    expect(derp['gauge_current_connections']).toBe(CLIENTS)
    await expect.poll(() => logged(relay, 'started')[0]?.['plan']).toMatchObject({ workers: '2 threads serve clients' })
  })

  test('serves a new certificate on all workers, under live connections (P-146)', async () => {
    const { relay, target } = await startTls()
    const clients = await login(target)
    await relay.replaceCertificate('second')
    relay.program.child.kill('SIGHUP')
    await relay.program.stderrMatch(/"msg":"certificate replaced"/)
    const shown = await Promise.all(Array.from({ length: CLIENTS }, () => subjectOf(target)))
    expect(new Set(shown)).toEqual(new Set(['CN=second']))
    await expectAllReached(clients)
  })

  test('resumes a TLS session on another worker, on Bun on the same one only', async () => {
    const { target } = await startTls()
    const sessions = Promise.withResolvers<Buffer>()
    const first = await connectTls(target, undefined, session => sessions.resolve(session))
    // Bun's servers send tickets with the first bytes that they write.
    first.write('GET /derp/probe HTTP/1.1\r\nHost: h\r\n\r\n')
    const session = await sessions.promise
    first.destroy()
    const reused: boolean[] = []
    for (let n = 0; n < CLIENTS; n++) {
      const again = await connectTls(target, session)
      reused.push(again.isSessionReused())
      again.destroy()
    }
    // No connection is refused for it.
    expect(reused.includes(false)).toBe(RUNTIME_NAME === 'bun')
  })

  test('applies its limits to all workers together (P-108, P-109)', async () => {
    const rate = await startPlain(['-accept-connection-limit', NEVER, '-accept-connection-burst', '6'])
    expect((await probes(rate.relay, 12)).toSorted((a, b) => a - b)).toEqual([
      ...Array(6).fill(0),
      ...Array(6).fill(200),
    ])
    const source = await startPlain([
      '-accept-connection-limit-per-source',
      NEVER,
      '-accept-connection-burst-per-source',
      '5',
    ])
    expect((await probes(source.relay, 12)).filter(status => status === 200)).toHaveLength(5)
    const clients = await startPlain(['-max-clients', '3'])
    const logins = await Promise.allSettled(Array.from({ length: 12 }, () => clients.target.login()))
    expect(logins.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    for (const flag of ['-max-connections', '-max-connections-per-source']) {
      const { target } = await startPlain([flag, '4'])
      for (let n = 0; n < 4; n++) await target.login()
      for (let n = 0; n < 6; n++) await expect(target.login()).rejects.toThrow()
    }
  })

  test('reloads live settings on SIGHUP, on all workers', async () => {
    const [config, denied] = [join(directory, 'derper.json'), join(directory, 'denied')]
    writeFileSync(config, '{}')
    writeFileSync(denied, '')
    const { relay, target } = await startTls(['-config', config, '-deny-keys-file', denied])
    const clients = await login(target)
    const [unwanted, ...others] = clients as [RawClient, ...RawClient[]]
    writeFileSync(config, '{"log-level": "debug"}')
    writeFileSync(denied, `${unwanted.publicKey}\n`)
    relay.program.child.kill('SIGHUP')
    await unwanted.closed()
    await expectAllReached(others)
    // Aborted logins are logged by their worker, at debug level only.
    for (const client of await Promise.all(others.map(() => target.connect()))) client.close()
    const threads = () => new Set(logged(relay, 'connection ended').map(({ thread }) => thread))
    await expect.poll(threads).toEqual(new Set([1, 2]))
    // New rules also apply to connected clients (P-040).
    const [allowed, listed] = [join(directory, 'allowed'), others.slice(CLIENTS / 2)]
    writeFileSync(allowed, listed.map(({ publicKey }) => `${publicKey}\n`).join(''))
    writeFileSync(config, JSON.stringify({ 'log-level': 'debug', 'allow-keys-file': allowed }))
    relay.program.child.kill('SIGHUP')
    await Promise.all(others.slice(0, CLIENTS / 2).map(client => client.closed()))
    await expectAllReached(listed)
    const counts = [{ asked: CLIENTS - 1, ended: CLIENTS / 2 }]
    await expect.poll(() => logged(relay, 'clients re-checked')).toMatchObject(counts)
  })

  test('drains the clients of all workers on SIGTERM (P-093, P-174)', async () => {
    const { relay, target } = await startTls(['-drain-time', '1s'])
    const clients = await login(target)
    relay.program.child.kill('SIGTERM')
    const told = await Promise.all(clients.map(client => client.messageOf('serverRestarting')))
    expect(told.every(({ reconnectInMs }) => reconnectInMs <= 1_000)).toBe(true)
    await Promise.all(clients.map(client => client.closed()))
    expect(await relay.program.exit()).toBe(0)
    expect(logged(relay, 'drain ended')[0]).toMatchObject({ told: CLIENTS, moved: CLIENTS, cut: 0 })
  })

  test('loses only the connections of a crashed worker, and replaces it', async () => {
    const { relay, target } = await startTls([], CRASH_HOOK)
    const clients = await login(target)
    await relay.replaceCertificate('second')
    relay.program.child.kill('SIGHUP')
    await relay.program.stderrMatch(/"msg":"certificate replaced"/)
    const load = new Load(clients)
    relay.program.child.kill('SIGUSR2')
    await relay.program.stderrMatch(/"msg":"worker crashed"/)
    await expect.poll(async () => (await own(target))['gauge_workers']).toBe(2)
    await load.stop()
    const left = clients.filter(({ isClosed }) => !isClosed)
    expect(left.length).toBeGreaterThan(0)
    expect(left.length).toBeLessThan(CLIENTS)
    await expectAllReached([...left, ...(await login(target))])
    expect(await own(target)).toMatchObject({ counter_worker_crashes: 1, gauge_ready: 1 })
    await expectConsistent(target)
    const shown = await Promise.all(Array.from({ length: CLIENTS }, () => subjectOf(target)))
    expect(new Set(shown)).toEqual(new Set(['CN=second']))
    expect(logged(relay, 'worker crashed')).toMatchObject([{ level: 'error', reason: 'crashed by a test' }])
  })
})

/** Clients that send to each other constantly. */
class Load {
  readonly #running: Promise<void>
  #isOver = false

  constructor(clients: readonly RawClient[]) {
    this.#running = this.#send(clients)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #send(clients: readonly RawClient[]): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const to = clients[(n * 7) % clients.length]?.publicKey
      for (const from of clients) if (to !== undefined && !from.isClosed) from.packet(to, new Uint8Array(200))
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }
}

async function connectTls(
  { url, options: { ca } }: Target,
  session?: Buffer,
  onSession: (session: Buffer) => void = () => {},
): Promise<TLSSocket> {
  const socket = tlsConnect({
    port: Number(url.port),
    host: '127.0.0.1',
    servername: 'localhost',
    ca,
    ...(session !== undefined && { session }),
  })
  // A server may send sessions with the end of its handshake.
  socket.on('session', onSession)
  await once(socket.resume(), 'secureConnect')
  return socket
}

async function subjectOf(target: Target): Promise<string | undefined> {
  const socket = await connectTls(target)
  const subject = socket.getPeerX509Certificate()?.subject
  socket.destroy()
  return subject
}

/** Statuses of probes on separate connections, in sequence; 0 for closed ones. */
async function probes({ port }: RunningRelay, count: number): Promise<number[]> {
  const statuses: number[] = []
  for (let n = 0; n < count; n++) {
    const answer = request(port, 'GET /derp/probe', ['Connection: close']).catch(() => ({ status: 0 }))
    statuses.push((await answer).status)
  }
  return statuses
}
