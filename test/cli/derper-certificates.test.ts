import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { hasOpenssl, seenChain } from '../support/openssl.ts'
import { type Program, startProgram } from '../support/process.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { served } from '../support/served.ts'
import { TestCa } from '../support/test-ca.ts'

const DERPER = commandPath('derper')
const CLIENTS = 100
const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
const directory = mkdtempSync(join(tmpdir(), 'derper-certificates-'))
const caFile = join(directory, 'ca.pem')
let ca: TestCa
let program: Program | undefined

beforeAll(async () => {
  ca = await TestCa.create()
  writeFileSync(caFile, ca.certificate)
})
afterAll(async () => {
  await program?.stop()
  rmSync(directory, { recursive: true })
})

const issue = (commonName: string) => ca.issue({ dns: ['localhost'], commonName })

function store({ certificate, key }: CertificatePair): void {
  for (const [name, text] of Object.entries({ 'localhost.key': key, 'localhost.crt': certificate })) {
    writeFileSync(join(directory, `${name}.new`), text)
    renameSync(join(directory, `${name}.new`), join(directory, name))
  }
}

function dial(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.certificate }, () => {
      resolve(socket)
    }).on('error', reject)
  })
}

async function login(port: number): Promise<RawClient> {
  const socket = await dial(port)
  return RawClient.login(new NodeConn(socket, (await exchange(socket, UPGRADE)).body))
}

/** Each client sends to the next. */
async function expectAllAlive(clients: readonly RawClient[]): Promise<void> {
  for (const [i, client] of clients.entries()) {
    client.packet((clients[(i + 1) % clients.length] as RawClient).publicKey, Uint8Array.of(i))
  }
  for (const [i, client] of clients.entries()) {
    const from = (i + clients.length - 1) % clients.length
    expect([...(await client.messageOf('receivedPacket')).data]).toEqual([from])
  }
}

test.skipIf(!hasOpenssl)(
  'derper replaces its certificate under 100 live clients, by polling and on SIGHUP, and keeps it when the new one is invalid (P-146)',
  async () => {
    store(await issue('first'))
    const listen = ['-a', '127.0.0.1:0', '-http-port', '-1', '-stun=false', '-c', join(directory, 'derper.key')]
    const certificates = ['-hostname', 'localhost', '-certmode', 'manual', '-certdir', directory]
    program = await startProgram(RUNTIME_PATH, [DERPER, ...listen, ...certificates])
    const derper = program
    const { port } = await served(derper)
    const shows = async (subject: string) => {
      const { shown, verified } = await seenChain(port, caFile, 'localhost')
      expect(verified).toBe('0 (ok)')
      expect(shown[0]).toEqual({ subject: `CN=${subject}`, issuer: 'CN=testauthority' })
      expect(shown.at(-1)?.subject).toMatch(/^CN=derpkey[0-9a-f]{64}$/)
    }
    const clients: RawClient[] = []
    // In batches: each must log in within its deadline, even on a busy machine.
    while (clients.length < CLIENTS) clients.push(...(await Promise.all(Array.from({ length: 10 }, () => login(port)))))
    await shows('first')

    const second = await issue('second')
    store(second)
    await derper.stderrMatch(/"msg":"certificate replaced"/)
    await shows('second')
    await expectAllAlive(clients)

    writeFileSync(join(directory, 'localhost.crt'), 'not a certificate')
    derper.child.kill('SIGHUP')
    await derper.stderrMatch(/"msg":"certificate not replaced: the new one is unusable"/)
    await shows('second')
    store(second)
    derper.child.kill('SIGHUP')
    await derper.stderrMatch(/"msg":"certificate unchanged"/)

    store(await issue('third'))
    derper.child.kill('SIGHUP')
    await derper.stderrMatch(/"msg":"certificate replaced"[\s\S]*"msg":"certificate replaced"/)
    await shows('third')
    await expectAllAlive(clients)
    expect(clients.filter(({ isClosed }) => isClosed)).toEqual([])

    const target = new Target({
      url: `https://localhost:${port}/derp`,
      ca: ca.certificate,
      carriage: 'raw',
      like: 'ours',
    })
    const own = (await target.vars())['derphttp'] as Record<string, Record<string, number>>
    expect(own['counter_cert_replacements']).toEqual({ localhost: 2 })
    expect(own['counter_cert_failures']?.['localhost']).toBeGreaterThan(0)
    expect(own['gauge_cert_not_after_seconds']?.['localhost']).toBeGreaterThan(Date.now() / 1_000)
    for (const client of clients) client.close()
  },
)
