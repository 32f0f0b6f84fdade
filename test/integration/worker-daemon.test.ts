/** The daemon's worker part, here on the test's thread. */

import { connect } from 'node:tls'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { DERPER_FLAGS } from '../../src/cli/derper/derper-flags.ts'
import { readSettings } from '../../src/cli/derper/derper-settings.ts'
import { parseFlags } from '../../src/cli/go-flags.ts'
import type { WorkerData } from '../../src/daemon/workers/worker-calls.ts'
import { WorkerDaemon } from '../../src/daemon/workers/worker-daemon.ts'
import { workerSettings } from '../../src/daemon/workers/worker-settings.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { createTallyMemory } from '../../src/listen/shared-tally.ts'
import { createRelay } from '../../src/relay.ts'
import { createMetaCertificate } from '../../src/tls/meta-cert.ts'
import type { TlsState } from '../../src/tls/replicas.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { request } from '../support/raw-http.ts'
import { TestCa } from '../support/test-ca.ts'

const PRIVATE_KEY = NodePrivateKey.generate()
const workers: WorkerDaemon[] = []
const pairs: CertificatePair[] = []

beforeAll(async () => {
  const ca = await TestCa.create()
  for (const commonName of ['first', 'second']) pairs.push(await ca.issue({ dns: ['relay.test'], commonName }))
})
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close()
})

async function tlsState(): Promise<TlsState> {
  return {
    hostname: 'relay.test',
    metaCertificate: await createMetaCertificate(PRIVATE_KEY.publicKey()),
    ticketKeys: new Uint8Array(48).fill(3),
    certificate: pairs[0],
    unnamedCertificate: undefined,
    tlsAnswers: undefined,
  }
}

async function dataFor(args: readonly string[], tls?: TlsState): Promise<Omit<WorkerData, 'thread'>> {
  const flags = parseFlags(DERPER_FLAGS, ['-dev', '-a', '127.0.0.1:0', '-log-level', 'error', ...args])
  if (flags.help) throw new Error('unexpected -help')
  const settings = await readSettings(flags.values, flags.given, {})
  const names = {
    published: new Map([['a.example', { addresses: ['192.0.2.1'], share: 1 }]]),
    unpublished: undefined,
  }
  const tally = createTallyMemory(settings.listen.limits, 3)
  return { settings: workerSettings(settings, PRIVATE_KEY), logLevel: 'error', logFormat: 'json', tally, tls, names }
}

/** Workers of one daemon; resolves to their port. */
async function start(data: Omit<WorkerData, 'thread'>, count: number): Promise<number> {
  let port = 0
  for (let thread = 1; thread <= count; thread++) {
    const worker = new WorkerDaemon(structuredClone({ ...data, thread }), { write: async () => {} }, createRelay)
    workers.push(worker)
    port = await worker.listen(port)
  }
  return port
}

/** Certificate subject presented to a client. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', servername: 'relay.test', rejectUnauthorized: false }
    const socket = connect(options, () => {
      resolve(String(socket.getPeerX509Certificate()?.subject))
      socket.destroy()
    }).on('error', reject)
  })
}

const CLOSE = ['Connection: close']

/** The status of a probe on a new connection; 0 if that was closed. */
async function probe(port: number): Promise<number> {
  return (await request(port, 'GET /derp/probe', CLOSE).catch(() => ({ status: 0 }))).status
}

test.runIf(process.platform === 'linux')(
  'workers on one port serve the same certificate, and replace it on request',
  async () => {
    const port = await start(await dataFor([], await tlsState()), 2)
    for (let n = 0; n < 8; n++) expect(await shown(port)).toBe('CN=first')
    for (const worker of workers) worker.calls.applyTls({ type: 'certificate', pair: pairs[1] as CertificatePair })
    for (let n = 0; n < 8; n++) expect(await shown(port)).toBe('CN=second')
    expect(workers.reduce((sum, { relay }) => sum + relay.http.tlsAccepted, 0)).toBe(16)
  },
)

test.runIf(process.platform === 'linux')('workers on one port share the limits (P-108, P-109)', async () => {
  const limits = ['-accept-connection-limit', '0.000001', '-accept-connection-burst', '5']
  const port = await start(await dataFor(limits), 2)
  const statuses: number[] = []
  for (let n = 0; n < 12; n++) statuses.push(await probe(port))
  expect(statuses).toEqual([...Array(5).fill(200), ...Array(7).fill(0)])
  expect(workers.reduce((sum, { limits: { counters } }) => sum + counters.refused.rate, 0)).toBe(7)
})

test('a worker serves by its settings, and the names it is sent (P-163, P-164)', async () => {
  const port = await start(await dataFor(['-home', 'https://home.example/']), 1)
  expect((await request(port, 'GET /')).headers.get('location')).toBe('https://home.example/')
  const names = async () => JSON.parse((await request(port, 'GET /bootstrap-dns')).body.toString()) as unknown
  expect(await names()).toEqual({ 'a.example': ['192.0.2.1'] })
  const published = new Map([['b.example', { addresses: ['192.0.2.2'], share: 1 }]])
  workers[0]?.calls.showNames({ published, unpublished: undefined })
  expect(await names()).toEqual({ 'b.example': ['192.0.2.2'] })
  workers[0]?.calls.setLogLevel('warn')
  workers[0]?.stopListening()
  await expect.poll(() => probe(port)).toBe(0)
})
