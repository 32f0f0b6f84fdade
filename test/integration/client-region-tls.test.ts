/** Plain TLS to a node of a region, for measurements. */

import { beforeAll, expect, test } from 'vitest'
import type { DERPNode, DERPRegion } from '../../src/derpmap/types.ts'
import { Client, netcheckClient } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { exchange } from '../support/raw-http.ts'
import { until } from '../support/settle.ts'
import { startTcpServer } from '../support/socket-server.ts'
import { TestCa } from '../support/test-ca.ts'

let ca: TestCa

beforeAll(async () => {
  ca = await TestCa.create()
})

const startRelay = async () =>
  ListeningRelay.start({ tls: { hostname: 'relay.test', certificate: await ca.issue({ dns: ['relay.test'] }) } })

function regionAt(port: number, ...before: DERPNode[]): DERPRegion {
  const node = { Name: '1z', RegionID: 1, HostName: 'relay.test', IPv4: '127.0.0.1', IPv6: 'none', DERPPort: port }
  return { RegionID: 1, RegionCode: 'own', RegionName: '', Nodes: [...before, node] }
}

test('dialRegionTls returns a TLS connection to the first node that responds, for any protocol (P-226)', async () => {
  await using relay = await startRelay()
  const gone = { Name: '1a', RegionID: 1, HostName: 'relay.test', IPv4: '127.0.0.1', IPv6: 'none', DERPPort: 1 }
  const region = regionAt(relay.port, gone)
  const options = { tlsConfig: { ca: ca.certificate } }
  await using client = Client.forRegion(NodePrivateKey.generate(), () => undefined, options)
  for (const dialler of [client, netcheckClient(options)]) {
    const { socket, node, tls, close } = await dialler.dialRegionTls(region)
    expect(node).toBe(region.Nodes[1])
    expect(tls).toMatchObject({ version: 'TLSv1.3', serverName: 'relay.test', isResumed: false })
    expect(tls.peerCertificates).toHaveLength(2)
    expect(await exchange(socket, 'GET /derp/probe HTTP/1.1\r\nHost: relay.test\r\n\r\n')).toMatchObject({
      status: 200,
    })
    close()
    await until(() => socket.destroyed, 'the connection is closed')
  }
})

test('dialRegionTls always uses TLS and never resumes sessions, even if the client does for DERP (P-226)', async () => {
  await using relay = await startRelay()
  const options = { tlsConfig: { ca: ca.certificate }, useHttp: true }
  await using client = Client.forRegion(NodePrivateKey.generate(), () => undefined, options)
  for (let i = 0; i < 2; i++) {
    const { socket, tls, close } = await client.dialRegionTls(regionAt(relay.port))
    await exchange(socket, 'GET /derp/probe HTTP/1.1\r\nHost: relay.test\r\n\r\n')
    expect(tls.isResumed).toBe(false)
    close()
  }
})

test('dialRegionTls reports why it cannot connect (P-226)', async () => {
  await using relay = await startRelay()
  const untrusting = netcheckClient()
  await expect(untrusting.dialRegionTls(regionAt(relay.port))).rejects.toMatchObject({ reason: 'untrusted' })
  const empty = { ...regionAt(relay.port), Nodes: [] }
  await expect(untrusting.dialRegionTls(empty)).rejects.toMatchObject({ code: 'ERR_DERP_REGION_EMPTY' })
  await expect(untrusting.dialRegionTls(regionAt(relay.port), AbortSignal.abort())).rejects.toMatchObject({
    code: 'ERR_DERP_ABORTED',
  })
})

test('dialRegionTls ends with its signal, and after 10 s (P-202, P-226)', async () => {
  await using silent = await startTcpServer(socket => void socket.resume())
  const clock = new FakeClock()
  const client = netcheckClient({ clock })
  client.setAddressFamilySelector({ preferIPv6: () => true })
  const controller = new AbortController()
  for (const [give, code] of [
    [() => controller.abort(), 'ERR_DERP_ABORTED'],
    [() => clock.advance(10_000), 'ERR_DERP_DIAL_TIMEOUT'],
  ] as const) {
    const dialling = client.dialRegionTls(
      regionAt(silent.port),
      code === 'ERR_DERP_ABORTED' ? controller.signal : undefined,
    )
    dialling.catch(() => {})
    await until(() => silent.sockets.size === 1, 'the node is connected to')
    give()
    await expect(dialling).rejects.toMatchObject({ code })
    await until(() => silent.sockets.size === 0, 'the connection is closed')
    expect(clock.pendingTimers).toBe(0)
  }
})
