import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import { settle, until } from '../../test/support/settle.ts'
import { defaultDaemonSocket } from './local-api.ts'
import { LocalDaemon } from './local-daemon.ts'

type Answer = (path: string) => readonly [status: number, body: string] | undefined

/** A LocalAPI on its own Unix socket; undefined for no response. */
class TestDaemon implements AsyncDisposable {
  readonly socketPath: string
  readonly requests: IncomingMessage[] = []
  answer: Answer = () => [500, 'not set']
  /** Called for requests without an answer. */
  onRequest: (response: ServerResponse) => void = () => {}
  readonly #directory = mkdtempSync(join(tmpdir(), 'local-api-'))
  readonly #sockets = new Set<Socket>()
  #server = this.#createServer()

  constructor() {
    this.socketPath = join(this.#directory, 'sock')
  }

  static async start(answer: Answer): Promise<TestDaemon> {
    const daemon = new TestDaemon()
    daemon.answer = answer
    await daemon.listen()
    return daemon
  }

  async listen(): Promise<void> {
    this.#server = this.#createServer()
    await new Promise<void>(resolve => this.#server.listen(this.socketPath, resolve))
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  get paths(): (string | undefined)[] {
    return this.requests.map(({ url }) => url)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.#directory, { recursive: true })
  }

  #createServer() {
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      this.requests.push(request)
      const answer = this.answer(request.url ?? '')
      if (answer === undefined) this.onRequest(response)
      else response.writeHead(answer[0]).end(answer[1])
    })
    return server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }
}

const STATUS = '/localapi/v0/status'
const OWN_STATUS = '/localapi/v0/status?peers=false'
const running = (own: string, peers: readonly string[] = []) =>
  JSON.stringify({
    BackendState: 'Running',
    Self: { PublicKey: own },
    Peer: Object.fromEntries(peers.map(key => [key, { Online: true }])),
  })
const OWN = `nodekey:${'ab'.repeat(32)}`

test('LocalDaemon asks as the original does, and admits clients that the daemon knows (P-040)', async () => {
  const request = requestOf()
  await using daemon = await TestDaemon.start(() => [200, '{"Node":{"ID":1},"UserProfile":{}}'])
  const policy = new LocalDaemon(daemon.socketPath, admissionPorts())
  expect(await policy.admit(request)).toEqual({ admit: true, by: 'local tailscaled' })
  const [asked] = daemon.requests
  expect([asked?.method, asked?.url]).toEqual(['GET', `/localapi/v0/whois?addr=nodekey%3A${request.clientKey.toHex()}`])
  expect(asked?.headers).toMatchObject({ host: 'local-tailscaled.sock', 'tailscale-cap': '116' })
})

test('LocalDaemon denies clients that the daemon does not know, but not the daemon itself (P-040)', async () => {
  const own = requestOf()
  await using daemon = await TestDaemon.start(path =>
    path === OWN_STATUS ? [200, running(own.clientKey.toString())] : [404, 'no match for IP:port\n'],
  )
  const ports = admissionPorts()
  const policy = new LocalDaemon(daemon.socketPath, ports)
  expect(await policy.admit(requestOf())).toMatchObject({ admit: false, cause: 'not_in_tailnet' })
  expect(await policy.admit(own)).toMatchObject({ admit: true })
  expect(daemon.paths.filter(path => path === OWN_STATUS)).toHaveLength(1)
  ports.clock.advance(5_000)
  await policy.admit(own)
  expect(daemon.paths.filter(path => path === OWN_STATUS)).toHaveLength(2)
})

test.each(['NeedsLogin', 'Stopped', 'Starting', 'NoState'])(
  'LocalDaemon does not read as a denial that a daemon in state %s knows no keys (P-040)',
  async state => {
    await using daemon = await TestDaemon.start(path =>
      path === OWN_STATUS ? [200, JSON.stringify({ BackendState: state, Self: null })] : [404, 'no match'],
    )
    const policy = new LocalDaemon(daemon.socketPath, admissionPorts())
    await expect(policy.admit(requestOf())).rejects.toThrow(`ask local tailscaled: state is ${state}`)
    expect(await policy.probe()).toContain(state)
  },
)

test('LocalDaemon reads the peer list of a daemon that cannot look up keys, and logs so once (P-040)', async () => {
  const [known, own, stranger] = [requestOf(), requestOf(), requestOf()]
  await using daemon = await TestDaemon.start(path =>
    path === STATUS
      ? [200, running(own.clientKey.toString(), [known.clientKey.toString()])]
      : [400, "invalid 'addr' parameter\n"],
  )
  const ports = admissionPorts()
  const policy = new LocalDaemon(daemon.socketPath, ports)
  const admitted = async (request: typeof known) => (await policy.admit(request)).admit
  expect([await admitted(known), await admitted(own), await admitted(stranger)]).toEqual([true, true, false])
  expect(daemon.paths.map(path => path?.split('?')[0])).toEqual(['/localapi/v0/whois', STATUS])
  expect(ports.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('too old') }])

  await daemon.stop()
  ports.clock.advance(5_000)
  await expect(policy.admit(known)).rejects.toThrow('ENOENT')
  daemon.answer = () => [200, '{}']
  await daemon.listen()
  expect(await admitted(stranger)).toBe(true)
  expect(daemon.paths.at(-1)).toMatch(/whois/)
})

test('LocalDaemon reports a daemon that is too old (P-040)', async () => {
  await using daemon = await TestDaemon.start(path =>
    path === STATUS ? [404, 'not found'] : [400, "invalid 'addr' parameter"],
  )
  const policy = new LocalDaemon(daemon.socketPath, admissionPorts())
  await expect(policy.admit(requestOf())).rejects.toThrow(
    'status request returned 404 "not found"; it is too old for this relay',
  )
})

test.each([
  [403, 'whois access denied\n', 'status 403 "whois access denied"'],
  [500, '', 'status 500 ""'],
  [400, 'invalid nodekey', 'status 400 "invalid nodekey"'],
  [200, 'not JSON', 'its response is not a JSON object'],
  [200, '[]', 'its response is not a JSON object'],
])('LocalDaemon reads %d with "%s" as an invalid response (P-040)', async (status, body, reason) => {
  await using daemon = await TestDaemon.start(() => [status, body])
  const ports = admissionPorts()
  const policy = new LocalDaemon(daemon.socketPath, ports)
  await expect(policy.admit(requestOf())).rejects.toThrow(`ask local tailscaled: ${reason}`)
  expect(ports.counters.sourceFailures).toEqual({ local_daemon: 1, url: 0 })
})

test('LocalDaemon opens a new connection each time, and logs an unreachable daemon once (P-040)', async () => {
  await using daemon = await TestDaemon.start(() => [200, '{}'])
  const ports = admissionPorts()
  const policy = new LocalDaemon(daemon.socketPath, ports)
  await policy.admit(requestOf())
  await daemon.stop()
  for (let n = 0; n < 2; n++) await expect(policy.admit(requestOf())).rejects.toThrow(daemon.socketPath)
  await daemon.listen()
  expect(await policy.admit(requestOf())).toMatchObject({ admit: true })
  expect(ports.lines.map(({ level }) => level)).toEqual(['warn', 'info'])
})

test('LocalDaemon waits five seconds, and closes everything (P-040)', async () => {
  await using daemon = await TestDaemon.start(() => undefined)
  const ports = admissionPorts()
  const asking = new LocalDaemon(daemon.socketPath, ports).admit(requestOf())
  const failure = expect(asking).rejects.toThrow('no response after 5000 ms')
  await until(() => daemon.requests.length === 1, 'the request has arrived')
  ports.clock.advance(5_000)
  await failure
  expect(ports.clock.pendingTimers).toBe(0)
})

test('LocalDaemon asks about a bounded number of clients at a time (P-040)', async () => {
  const answers: (() => void)[] = []
  await using daemon = await TestDaemon.start(() => undefined)
  daemon.onRequest = response => void answers.push(() => response.end('{}'))
  const ports = { ...admissionPorts(), requests: { maxRequests: 2, patienceMs: 10_000 } }
  const policy = new LocalDaemon(daemon.socketPath, ports)
  const verdicts = Array.from({ length: 5 }, () => policy.admit(requestOf()))
  for (const [at, verdict] of verdicts.entries()) {
    await until(() => answers.length > at, 'a request has arrived')
    await settle()
    expect(answers.length).toBeLessThanOrEqual(at + 2)
    answers[at]?.()
    expect(await verdict).toMatchObject({ admit: true })
  }
})

test('LocalDaemon reports no problem for a running daemon', async () => {
  await using daemon = await TestDaemon.start(() => [200, running(OWN)])
  expect(await new LocalDaemon(daemon.socketPath, admissionPorts()).probe()).toBeUndefined()
})

test.each([
  ['linux', '/var/run/tailscale/tailscaled.sock'],
  ['darwin', '/var/run/tailscaled.socket'],
  ['win32', String.raw`\\.\pipe\ProtectedPrefix\Administrators\Tailscale\tailscaled`],
] as const)('defaultDaemonSocket is that of %s', (platform, path) => {
  expect(defaultDaemonSocket(platform)).toBe(path)
})
