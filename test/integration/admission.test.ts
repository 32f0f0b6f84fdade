import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AdmissionSettings, createAdmission } from '../../src/admission/create-admission.ts'
import { Client as BrowserClient } from '../../src/entries/browser.ts'
import { Client } from '../../src/entries/client.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { Relay } from '../../src/relay.ts'
import { prometheusText } from '../../src/status/varz-prometheus.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { admissionPorts } from '../support/admission.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { type LoginOptions, RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { nextMessage } from '../support/relay.ts'
import { until } from '../support/settle.ts'
import { listenOnLoopback } from '../support/socket-server.ts'
import { MessageClient } from '../support/web-socket.ts'

const MESH_KEY = 'ab'.repeat(32)
const TOKEN = 'own-client-token-0123456789'
const POLL_MS = 2_000

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'admission-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function fileOf(name: string, lines: readonly unknown[]): string {
  const path = join(directory, name)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

/** A relay with these admission rules; revoked keys are disconnected. */
async function relayWith(settings: AdmissionSettings) {
  const ports = admissionPorts()
  let relay: Relay | undefined
  const admission = await createAdmission(settings, ports, { onKey: key => void relay?.core.directory.closePeer(key) })
  const listening = await ListeningRelay.start({
    meshKey: MeshKey.parse(MESH_KEY),
    admission: admission?.gate,
    program: { admission: () => ports.counters },
  })
  relay = listening.relay
  return {
    ...ports,
    admission,
    relay,
    port: listening.port,
    [Symbol.asyncDispose]: async () => {
      admission?.close()
      await listening[Symbol.asyncDispose]()
    },
  }
}

/** A connection to the relay that has not logged in. */
async function dial(port: number, headers: readonly string[] = []): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1')
  const lines = ['GET /derp HTTP/1.1', 'Host: relay', 'Connection: Upgrade', 'Upgrade: DERP', ...headers]
  const { body } = await exchange(socket, `${lines.join('\r\n')}\r\n\r\n`)
  return new RawClient(new NodeConn(socket, body))
}

/** Logs in; resolves to whether the relay admitted the client. */
async function isLetIn(port: number, options: LoginOptions, headers: readonly string[] = []): Promise<boolean> {
  const client = await dial(port, headers)
  try {
    await client.login(options)
    return true
  } catch {
    return false
  } finally {
    client.close()
  }
}

const bearer = (token: string) => [`Authorization: Bearer ${token}`]
const freshKey = () => NodePrivateKey.generate()

test('createAdmission without settings creates no gate: everyone may connect (P-040)', async () => {
  expect(await createAdmission({}, admissionPorts())).toBeUndefined()
})

test('relay admits only listed keys and clients with a token, over DERP and WebSocket upgrades (P-040)', async () => {
  const [listed, denied] = [freshKey(), freshKey()]
  await using setup = await relayWith({
    allowKeysFile: fileOf('allow', [listed.publicKey(), denied.publicKey()]),
    denyKeysFile: fileOf('deny', [denied.publicKey()]),
    tokensFile: fileOf('tokens', [`phone ${TOKEN}`]),
  })
  const { port } = setup
  expect(await isLetIn(port, { privateKey: listed })).toBe(true)
  expect(await isLetIn(port, {}, bearer(TOKEN))).toBe(true)
  expect(await isLetIn(port, {}, [`authorization: bEaReR  ${TOKEN} `])).toBe(true)
  expect(await isLetIn(port, { info: { isProber: true } })).toBe(false)
  expect(await isLetIn(port, {}, bearer(`${TOKEN}x`))).toBe(false)
  expect(await isLetIn(port, {}, [`Authorization: Basic ${TOKEN}`])).toBe(false)
  expect(await isLetIn(port, { privateKey: denied }, bearer(TOKEN))).toBe(false)
  expect(await isLetIn(port, { info: { meshKey: MESH_KEY } })).toBe(true)

  const overWebSocket = (token: string) =>
    new MessageClient(`ws://127.0.0.1:${port}/derp`, { headers: { Authorization: `Bearer ${token}` } }).opened()
  const admitted = await overWebSocket(TOKEN)
  await admitted.login()
  admitted.socket.close()
  const refused = await overWebSocket('wrong-token-0123456789')
  refused.socket.send((await refused.hello({})).hello)
  await refused.closed

  const { counters } = setup
  expect(counters.admitted).toBe(4)
  expect(counters.denied).toMatchObject({ token_missing: 2, token_unknown: 2, key_denied: 1, key_not_listed: 0 })
  const text = prometheusText(await setup.relay.metrics())
  expect(text).toContain('derphttp_admission_admitted 4')
  expect(text).toContain('derphttp_admission_approvals{rule="token"} 3')
  expect(text).toContain('derphttp_admission_denied{reason="token_unknown"} 2')
})

test('clients of Node and of browsers show their token, a new one at each connection (P-040, P-155)', async () => {
  const other = 'another-token/0123456789=='
  const tokensFile = fileOf('tokens', [`phone ${TOKEN}`, `page ${other}`])
  await using setup = await relayWith({ tokensFile })
  const url = `http://127.0.0.1:${setup.port}/derp`
  const tokens = [TOKEN, other]
  const options = { token: () => tokens.shift() }
  await using native = new Client(NodePrivateKey.generate(), url, options)
  await nextMessage(native, 'serverInfo')
  await using page = new BrowserClient(NodePrivateKey.generate(), url, options)
  await nextMessage(page, 'serverInfo')
  await using byQuery = new BrowserClient(NodePrivateKey.generate(), `${url}?token=${TOKEN}`)
  await nextMessage(byQuery, 'serverInfo')
  expect(String(byQuery)).not.toContain(TOKEN)
  for (const refused of [
    new Client(NodePrivateKey.generate(), url, options),
    new BrowserClient(NodePrivateKey.generate(), url, { token: 'wrong' }),
  ]) {
    await expect(refused.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  }
  expect(setup.counters.denied).toMatchObject({ token_missing: 1, token_unknown: 1 })
  expect(setup.counters.approvals.token).toBe(3)
})

test('relay requires approval of both daemon and URL, but of neither for a listed key (P-040)', async () => {
  const [welcome, unknown, unwanted, prober] = [freshKey(), freshKey(), freshKey(), freshKey()]
  const daemon = createServer((request, response) => {
    const key = new URL(request.url ?? '', 'http://daemon').searchParams.get('addr')
    if (key === null) response.end('{"BackendState":"Running"}')
    else if (key === unknown.publicKey().toString()) response.writeHead(404).end()
    else response.end('{}')
  })
  await new Promise<void>(resolve => daemon.listen(join(directory, 'sock'), resolve))
  const controller = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => {
      response.end(JSON.stringify({ Allow: JSON.parse(body).NodePublic !== unwanted.publicKey().toString() }))
    })
  })
  await using listening = await listenOnLoopback(controller)
  await using setup = await relayWith({
    allowKeysFile: fileOf('allow', [prober.publicKey()]),
    daemonSocket: join(directory, 'sock'),
    url: `http://127.0.0.1:${listening.port}/`,
    urlFailOpen: true,
    memoryMs: 60_000,
  })
  const outcomes = async () => {
    const admitted: boolean[] = []
    for (const privateKey of [welcome, unknown, unwanted, prober]) {
      admitted.push(await isLetIn(setup.port, { privateKey }))
    }
    return admitted
  }
  expect(await outcomes()).toEqual([true, false, false, true])
  expect(setup.counters.denied).toMatchObject({ not_in_tailnet: 1, url_refused: 1 })
  const problems = () => setup.admission?.checks.map(({ problem }) => problem())
  expect(problems()).toEqual([undefined, undefined])
  expect(setup.counters.approvals).toEqual({ allow_list: 1, token: 0, local_daemon: 2, url: 1 })

  // With the daemon down, its earlier approvals still count; the URL fails open for clients that the daemon knows.
  await new Promise(resolve => daemon.close(resolve))
  await listening[Symbol.asyncDispose]()
  expect(await outcomes()).toEqual([true, false, true, true])
  expect(setup.counters).toMatchObject({ admittedFromMemory: 3, admittedByFailOpen: 1 })
  expect(setup.counters.denied).toMatchObject({ source_down: 1 })
  expect(problems()).toEqual([expect.stringContaining('local tailscaled'), expect.stringContaining('admission URL')])
})

test('relay disconnects keys that a changed list denies (P-040)', async () => {
  const [stays, leaves] = [freshKey(), freshKey()]
  const path = fileOf('allow', [stays.publicKey(), leaves.publicKey()])
  await using setup = await relayWith({ allowKeysFile: path })
  const [a, b] = [await dial(setup.port), await dial(setup.port)]
  await a.login({ privateKey: stays })
  await b.login({ privateKey: leaves })
  renameSync(fileOf('allow.new', [stays.publicKey()]), path)
  setup.clock.advance(POLL_MS)
  await b.closed()
  expect(a.isClosed).toBe(false)
  expect(await isLetIn(setup.port, { privateKey: leaves })).toBe(false)
  fileOf('allow', ['nonsense'])
  await setup.admission?.reload()
  expect(setup.counters).toMatchObject({ filesReloaded: 1, filesRejected: 1 })
  expect(await isLetIn(setup.port, { privateKey: stays })).toBe(true)
  a.close()
  await until(() => setup.relay.core.sessions.size === 0, 'all have left')
})
