/** Our client on stock derper over TLS: fast start, sessions, pins and regions. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DERPNode } from '../../src/derpmap/types.ts'
import { Client, type ClientOptions } from '../../src/entries/client.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { PeerPresentFlag } from '../../src/protocol/messages.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { hasGo } from '../support/go-tools.ts'
import { payload } from '../support/payload.ts'
import { nextMessage } from '../support/relay.ts'
import { freePort, type RunningRelay, startReferenceRelay } from '../support/relays.ts'
import { until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'
import { TlsRecorder } from '../support/tls-recorder.ts'

const MESH_KEY = 'ab'.repeat(32)

describe.skipIf(!hasGo)('our client on stock derper over TLS', () => {
  let ca: TestCa
  let directory: string
  /** Reached as relay.test. */
  let named: RunningRelay
  /** Reached by its address, with a self-signed certificate. */
  let numbered: RunningRelay

  beforeAll(async () => {
    ca = await TestCa.create()
    directory = mkdtempSync(join(tmpdir(), 'derper-certs-'))
    const { certificate, key } = await ca.issue({ dns: ['relay.test', 'also.test'] })
    writeFileSync(join(directory, 'relay.test.crt'), certificate)
    writeFileSync(join(directory, 'relay.test.key'), key)
    writeFileSync(join(directory, 'mesh.key'), MESH_KEY)
    const args = ['-certmode', 'manual', '-certdir', directory, '-mesh-psk-file', join(directory, 'mesh.key')]
    ;[named, numbered] = await Promise.all([
      startReferenceRelay([...args, '-hostname', 'relay.test']),
      startReferenceRelay([...args, '-hostname', '127.0.0.1']),
    ])
  })
  afterAll(async () => {
    await Promise.all([named?.stop(), numbered?.stop()])
    rmSync(directory, { recursive: true })
  })

  const nodeAt = (port: number, fields: Partial<DERPNode> = {}): DERPNode => ({
    Name: '1a',
    RegionID: 1,
    HostName: 'relay.test',
    IPv4: '127.0.0.1',
    IPv6: 'none',
    DERPPort: port,
    ...fields,
  })

  function clientOf(nodes: readonly DERPNode[], options: ClientOptions = {}): Client {
    const region = { RegionID: 1, RegionCode: 'own', RegionName: '', Nodes: nodes }
    return Client.forRegion(NodePrivateKey.generate(), () => region, {
      tlsConfig: { ca: ca.certificate },
      ...options,
    })
  }

  test('the login starts with the meta certificate’s key, before derper has sent anything (P-122, P-143, P-213)', async () => {
    await using recorder = await TlsRecorder.start({ port: named.port, holdAfterHandshake: true })
    await using client = clientOf([nodeAt(recorder.port)])
    for (const isResumed of [false, true, true]) {
      recorder.clientRecords.length = 0
      await client.connect()
      await until(() => recorder.clientRecords.length === 2, 'the client has sent its login')
      recorder.release()
      await nextMessage(client, 'serverInfo')
      expect(recorder.clientRecords).toHaveLength(2)
      expect(client.tlsConnectionState()).toMatchObject({ version: 'TLSv1.3', isResumed, serverName: 'relay.test' })
      const [own, meta] = client.tlsConnectionState()?.peerCertificates ?? []
      expect(own?.subjectAltName).toBe('DNS:relay.test, DNS:also.test')
      expect(meta?.subject).toBe(`CN=derpkey${client.serverPublicKey()?.toHex()}`)
      recorder.breakAll()
      await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
    }
  })

  test('below TLS 1.3 the client waits for the upgrade, and reads the same key (P-121, P-143)', async () => {
    await using fast = clientOf([nodeAt(named.port)])
    await using slow = clientOf([nodeAt(named.port)], { tlsConfig: { ca: ca.certificate, maxVersion: 'TLSv1.2' } })
    await nextMessage(fast, 'serverInfo')
    await nextMessage(slow, 'serverInfo')
    expect(slow.tlsConnectionState()?.version).toBe('TLSv1.2')
    expect(String(slow.serverPublicKey())).toBe(String(fast.serverPublicKey()))
  })

  test('packets flow between a region client and a URL client', async () => {
    await using a = clientOf([nodeAt(named.port)])
    await using b = new Client(NodePrivateKey.generate(), `https://relay.test:${named.port}/derp`, {
      tlsConfig: { ca: ca.certificate },
      dnsCache: { lookup: async () => ['127.0.0.1'] },
    })
    await nextMessage(b, 'serverInfo')
    const data = payload(65_536, 1)
    await a.send(b.selfPublicKey(), data)
    const { source, data: received } = await nextMessage(b, 'receivedPacket')
    expect(source.equals(a.selfPublicKey())).toBe(true)
    expect(Buffer.compare(received, data)).toBe(0)
  })

  test('the pin that derper prints for its certificate is accepted, and no other (P-144)', async () => {
    const [, pin = ''] = await numbered.program.stderrMatch(/"CertName":"(sha256-raw:[0-9a-f]{64})"/)
    const node = nodeAt(numbered.port, { HostName: '127.0.0.1', CertName: pin })
    await using client = clientOf([node], { tlsConfig: {} })
    await nextMessage(client, 'serverInfo')
    expect(client.tlsConnectionState()).toMatchObject({ pin: pin.slice('sha256-raw:'.length), serverName: undefined })
    await using wrong = clientOf([{ ...node, CertName: `sha256-raw:${'0'.repeat(64)}` }])
    await expect(wrong.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason: 'wrong-pin' })
    await using unpinned = clientOf([nodeAt(numbered.port, { HostName: '127.0.0.1' })])
    await expect(unpinned.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason: 'untrusted' })
  })

  test('an unknown server name fails the handshake, without trying another node (P-141)', async () => {
    await using client = clientOf([nodeAt(named.port, { HostName: 'other.test' }), nodeAt(named.port)])
    await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason: 'handshake' })
  })

  test('a name that only its certificate has is refused (P-141, D-145)', async () => {
    await using client = clientOf([nodeAt(named.port, { HostName: 'also.test' })])
    await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_TLS_FAILED', reason: 'handshake' })
  })

  test('derper counts that the second node was not the ideal one (P-123, P-220, P-225)', async () => {
    await using watcher = clientOf([nodeAt(named.port)], {
      meshKey: MeshKey.parse(MESH_KEY),
      watchConnectionChanges: true,
    })
    await nextMessage(watcher, 'serverInfo')
    const dead = nodeAt(await freePort(), { Name: '1dead' })
    await using client = clientOf([dead, nodeAt(named.port)])
    await using ideal = clientOf([nodeAt(named.port), dead])
    for (const [each, isNotIdeal] of [
      [client, true],
      [ideal, false],
    ] as const) {
      await each.connect()
      for (;;) {
        const { peer, flags } = await nextMessage(watcher, 'peerPresent')
        if (!peer.equals(each.selfPublicKey())) continue
        expect((flags & PeerPresentFlag.NotIdeal) !== 0).toBe(isNotIdeal)
        break
      }
    }
  })

  test('derper is reached through a proxy with credentials (P-224)', async () => {
    await using proxy = await startConnectProxy({ credentials: 'me:secret' })
    const proxyEnv = { HTTPS_PROXY: `http://me:secret@127.0.0.1:${proxy.port}` }
    await using client = clientOf([nodeAt(named.port)], { proxyEnv })
    await nextMessage(client, 'serverInfo')
    expect(proxy.targets).toEqual([`relay.test:${named.port}`])
  })

  test('plain TLS to derper for measurements (P-226)', async () => {
    await using client = clientOf([])
    const region = { RegionID: 1, RegionCode: 'own', RegionName: '', Nodes: [nodeAt(named.port)] }
    const { tls, node, close } = await client.dialRegionTls(region)
    expect([tls.version, node]).toEqual(['TLSv1.3', region.Nodes[0]])
    close()
  })
})
