import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, expect, test } from 'vitest'
import { createManualTlsListeners } from '../../src/daemon/tls-listeners.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { createRelay } from '../../src/relay.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'

const CLIENTS = 100
const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
const directory = mkdtempSync(join(tmpdir(), 'certificate-swap-'))
afterAll(() => rmSync(directory, { recursive: true }))

function store({ certificate, key }: CertificatePair): void {
  for (const [name, text] of Object.entries({ 'relay.test.key': key, 'relay.test.crt': certificate })) {
    writeFileSync(join(directory, `${name}.new`), text)
    renameSync(join(directory, `${name}.new`), join(directory, name))
  }
}

test('files are replaced under a hundred live clients: none is dropped, and new connections get the new certificate (P-146)', async () => {
  const ca = await TestCa.create()
  store(await ca.issue({ dns: ['relay.test'], commonName: 'first' }))
  const relay = createRelay({ privateKey: NodePrivateKey.generate() })
  const { https, certificates } = await createManualTlsListeners({
    directory,
    hostname: 'relay.test',
    publicKey: relay.publicKey,
    routes: relay.routes,
    counters: relay.http,
    acceptTimeoutMs: 10_000,
  })
  const { port } = await https.listen(0, '127.0.0.1')
  await certificates.start()
  const dial = () =>
    new Promise<TLSSocket>((resolve, reject) => {
      const options = { port, host: '127.0.0.1', servername: 'relay.test', ca: ca.certificate }
      const socket = connect(options, () => resolve(socket)).on('error', reject)
    })
  const login = async () => {
    const socket = await dial()
    return RawClient.login(new NodeConn(socket, (await exchange(socket, UPGRADE)).body))
  }
  try {
    const clients = await Promise.all(Array.from({ length: CLIENTS }, login))
    store(await ca.issue({ dns: ['relay.test'], commonName: 'second' }))
    await until(() => certificates.status()[0]?.replacements === 1, 'the certificate is replaced')
    const fresh = await dial()
    expect(fresh.getPeerX509Certificate()?.subject).toBe('CN=second')
    fresh.destroy()
    // Each still sends, and each still receives.
    for (const [i, client] of clients.entries()) {
      const peer = clients[(i + 1) % CLIENTS] as RawClient
      client.packet(peer.publicKey, Uint8Array.of(i))
    }
    for (const [i, client] of clients.entries()) {
      const from = (i + CLIENTS - 1) % CLIENTS
      expect([...(await client.messageOf('receivedPacket')).data]).toEqual([from])
    }
    expect(clients.filter(({ isClosed }) => isClosed)).toEqual([])
    for (const client of clients) client.close()
  } finally {
    await certificates.close()
    relay.close()
    await https.close()
  }
})
