/** Dialling of regions: node, address, port and timeouts. */

import { expect, test } from 'vitest'
import type { DnsCache } from '../../src/client/dial/dns-cache.ts'
import type { DERPNode, DERPRegion } from '../../src/derpmap/types.ts'
import { Client, type ClientOptions, NodeTransport, type NodeTransportOptions } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { encodeGreeting } from '../../src/protocol/login.ts'
import { type Fate, FatefulNetwork } from '../support/black-hole.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { nextMessage } from '../support/relay.ts'
import { settle, until } from '../support/settle.ts'
import { startHttpRelay, startTcpServer } from '../support/socket-server.ts'

const [V4, V4_OTHER, V6] = ['192.0.2.1', '192.0.2.2', '2001:db8::1'] as const

const node = (Name: string, fields: Partial<DERPNode> = {}): DERPNode => ({
  Name,
  RegionID: 1,
  HostName: `${Name}.test`,
  ...fields,
})
const regionOf = (...Nodes: DERPNode[]): DERPRegion => ({ RegionID: 1, RegionCode: 'own', RegionName: '', Nodes })

/** DNS that answers immediately. */
function dnsOf(answers: Readonly<Record<string, readonly string[]>>) {
  const asked: string[] = []
  const expired: string[] = []
  const lookup = async (host: string) => {
    asked.push(host)
    return answers[host] ?? Promise.reject(new Error(`no such host ${host}`))
  }
  return { asked, expired, lookup, expire: (host: string) => void expired.push(host) }
}

interface Setup {
  readonly region: DERPRegion
  readonly fates?: Readonly<Record<string, Fate>>
  readonly dns?: DnsCache
  readonly options?: NodeTransportOptions
  readonly client?: Partial<ClientOptions>
}

/** A region client over plain HTTP, in a scripted network. */
function clientIn({ region, fates = {}, dns, options, client }: Setup) {
  const clock = new FakeClock()
  const network = new FatefulNetwork(fates)
  const transport = new NodeTransport({ useHttp: true, dnsCache: dns, clock, ...options }, network.connect)
  const made = Client.forRegion(NodePrivateKey.generate(), () => region, { transport, clock, ...client })
  return {
    clock,
    network,
    transport,
    client: made,
    async [Symbol.asyncDispose]() {
      await made.close()
      expect([clock.pendingTimers, network.waiting]).toEqual([0, 0])
    },
  }
}

/** Connects; the test awaits the result later. */
function connecting(client: Client): Promise<void> {
  const attempt = client.connect()
  attempt.catch(() => {})
  return attempt
}

test('the first node that responds is used, STUN-only nodes are skipped, and Ideal-Node is sent (P-220, P-225)', async () => {
  const requests: string[] = []
  await using server = await startTcpServer(socket => {
    socket.once('data', chunk => {
      requests.push(chunk.toString('latin1'))
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      socket.write(encodeGreeting(NodePrivateKey.generate().publicKey()))
    })
  })
  const nodes = [
    node('1a', { STUNOnly: true }),
    node('1b', { IPv4: V4 }),
    node('1c', { IPv4: V4_OTHER, DERPPort: 8080 }),
  ]
  for (const [region, reached] of [
    [regionOf(...nodes), nodes[2]],
    [regionOf(...nodes.slice(2)), nodes[2]],
  ] as const) {
    await using setup = clientIn({ region, fates: { [V4_OTHER]: server.port }, dns: dnsOf({}) })
    expect(setup.client.connectedNode()).toBeUndefined()
    await setup.client.connect()
    expect(setup.client.connectedNode()).toBe(reached)
  }
  const request = (header: string) =>
    `GET /derp HTTP/1.1\r\nHost: 1c.test:8080\r\nUser-Agent: derphttp\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n${header}\r\n`
  expect(requests).toEqual([request('Ideal-Node: 1a\r\n'), request('')])
})

test.each<[what: string, fields: Partial<DERPNode>, useHttp: boolean, dialled: string]>([
  ['443', {}, false, `${V4} 443`],
  ['DERPPort', { DERPPort: 8443 }, false, `${V4} 8443`],
  ['3340 without TLS', {}, true, `${V4} 3340`],
  ['DERPPort without TLS', { DERPPort: 80 }, true, `${V4} 80`],
])('the port is %s (P-223)', async (_what, fields, useHttp, dialled) => {
  const region = regionOf(node('1a', { IPv4: V4, IPv6: 'none', ...fields }))
  await using setup = clientIn({ region, options: { useHttp } })
  await expect(setup.client.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_DIAL_FAILED',
    message: `dial node 1a (1a.test): connect ECONNREFUSED ${V4}`,
  })
  expect(setup.network.dialled).toEqual([dialled])
})

test.each<[what: string, fields: Partial<DERPNode>, asked: readonly string[], dialled: readonly string[]]>([
  ['DNS for both', {}, ['1a.test'], [`${V4} 3340`, `${V4_OTHER} 3340`, `${V6} 3340`]],
  ['a literal for one and DNS for the other', { IPv4: '192.0.2.9' }, ['1a.test'], ['192.0.2.9 3340', `${V6} 3340`]],
  ['literals for both', { IPv4: '192.0.2.9', IPv6: '2001:db8::9' }, [], ['192.0.2.9 3340', '2001:db8::9 3340']],
  ['one family only', { IPv4: 'none' }, ['1a.test'], [`${V6} 3340`]],
  ['the other only', { IPv6: 'off' }, ['1a.test'], [`${V4} 3340`, `${V4_OTHER} 3340`]],
  ['a host that is an address', { HostName: '2001:db8::7' }, [], ['2001:db8::7 3340']],
])('addresses come from %s (P-222)', async (_what, fields, asked, dialled) => {
  const dns = dnsOf({ '1a.test': [V4, V4_OTHER, V6] })
  await using setup = clientIn({ region: regionOf(node('1a', fields)), dns })
  await expect(setup.client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_FAILED' })
  expect(dns.asked).toEqual(asked)
  expect(setup.network.dialled.toSorted()).toEqual(dialled.toSorted())
})

test('a node with both families disabled, or with unusable fields, is an error (P-222)', async () => {
  await using off = clientIn({ region: regionOf(node('1a', { IPv4: 'none', IPv6: 'none' })) })
  await expect(off.client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_NODE_INVALID', clause: 'P-222' })
  await using bad = clientIn({ region: regionOf(node('1a', { HostName: 'a b' })) })
  await expect(bad.client.connect()).rejects.toMatchObject({ code: 'ERR_DERP_NODE_INVALID' })
})

test('with IPv6 preferred, IPv4 starts 200 ms later and wins over unreachable IPv6 (P-221)', async () => {
  await using relay = await startHttpRelay()
  await using setup = clientIn({
    region: regionOf(node('1a')),
    fates: { [V6]: 'silent', [V4]: relay.port },
    dns: dnsOf({ '1a.test': [V6, V4] }),
    options: { addressFamilySelector: { preferIPv6: () => true } },
  })
  const attempt = connecting(setup.client)
  await until(() => setup.network.waiting === 1, 'IPv6 is being dialled')
  setup.clock.advance(199)
  await settle()
  expect(setup.network.dialled).toEqual([`${V6} 3340`])
  setup.clock.advance(1)
  await attempt
  expect(setup.network.dialled).toEqual([`${V6} 3340`, `${V4} 3340`])
  expect(setup.network.waiting).toBe(0)
})

test('with IPv6 preferred and working, IPv4 is not dialled; preferred and refused, IPv4 does not wait (P-221)', async () => {
  await using relay = await startHttpRelay()
  const dns = dnsOf({ '1a.test': [V6, V4] })
  const region = regionOf(node('1a'))
  for (const [fates, dialled] of [
    [{ [V6]: relay.port, [V4]: relay.port }, [`${V6} 3340`]],
    [{ [V6]: 'refused', [V4]: relay.port }, [`${V6} 3340`, `${V4} 3340`]],
  ] as const) {
    await using setup = clientIn({ region, fates, dns })
    setup.transport.setAddressFamilySelector({ preferIPv6: () => true })
    await setup.client.connect()
    expect(setup.network.dialled).toEqual(dialled)
  }
})

test('without a preference both families start immediately (P-221)', async () => {
  await using relay = await startHttpRelay()
  await using setup = clientIn({
    region: regionOf(node('1a')),
    fates: { [V6]: 'silent', [V4]: relay.port },
    dns: dnsOf({ '1a.test': [V6, V4] }),
  })
  await setup.client.connect()
  expect(setup.network.dialled).toEqual([`${V4} 3340`, `${V6} 3340`])
})

test('the second address of a family is tried 300 ms after a silent first', async () => {
  await using relay = await startHttpRelay()
  await using setup = clientIn({
    region: regionOf(node('1a', { IPv6: 'none' })),
    fates: { [V4]: 'silent', [V4_OTHER]: relay.port },
    dns: dnsOf({ '1a.test': [V4, V4_OTHER] }),
  })
  const attempt = connecting(setup.client)
  await until(() => setup.network.waiting === 1, 'the first address is being dialled')
  setup.clock.advance(299)
  await settle()
  expect(setup.network.dialled).toEqual([`${V4} 3340`])
  setup.clock.advance(1)
  await attempt
  expect(setup.network.dialled).toEqual([`${V4} 3340`, `${V4_OTHER} 3340`])
})

test('a node that is silent, or whose DNS is, is abandoned after 1.5 s for the next (P-221)', async () => {
  await using relay = await startHttpRelay()
  const good = node('1z', { IPv4: V4, IPv6: 'none' })
  const dns = { ...dnsOf({}), lookup: () => new Promise<never>(() => {}) }
  for (const bad of [node('1a', { IPv4: V4_OTHER, IPv6: 'none' }), node('1b')]) {
    await using setup = clientIn({
      region: regionOf(bad, good),
      fates: { [V4]: relay.port, [V4_OTHER]: 'silent' },
      dns,
    })
    const attempt = connecting(setup.client)
    // The whole attempt and the node.
    await until(() => setup.clock.pendingTimers >= 2, 'the first node is being dialled')
    setup.clock.advance(1_499)
    await settle()
    expect(setup.network.dialled).not.toContain(`${V4} 3340`)
    setup.clock.advance(1)
    await attempt
    expect(setup.client.connectedNode()).toBe(good)
  }
})

test('DNS is queried again after a node was silent, and at most eight addresses per family are tried', async () => {
  const addresses = Array.from({ length: 20 }, (_, i) => `198.51.100.${i}`)
  const dns = dnsOf({ 'silent.test': [V4], 'many.test': addresses })
  const nodes = [node('silent', { IPv6: 'none' }), node('many', { IPv6: 'none' })]
  await using setup = clientIn({ region: regionOf(...nodes), fates: { [V4]: 'silent' }, dns })
  const attempt = connecting(setup.client)
  await until(() => setup.network.waiting === 1, 'the first node is being dialled')
  setup.clock.advance(1_500)
  await expect(attempt).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_TIMEOUT' })
  expect(dns.expired).toEqual(['silent.test', 'many.test'])
  expect(setup.network.dialled).toEqual([V4, ...addresses.slice(0, 8)].map(address => `${address} 3340`))
})

test('dialRegionTls dials the TLS port, even if DERP uses plain HTTP (P-223, P-226)', async () => {
  await using setup = clientIn({ region: regionOf() })
  const region = regionOf(node('1a', { IPv4: V4, IPv6: 'none' }))
  await expect(setup.transport.dialRegionTls(region)).rejects.toMatchObject({ code: 'ERR_DERP_DIAL_FAILED' })
  expect(setup.network.dialled).toEqual([`${V4} 443`])
})

test('an attempt ends after 10 s, even if nodes are left (P-202)', async () => {
  const nodes = Array.from({ length: 9 }, (_, i) => node(`1${i}`, { IPv4: V4, IPv6: 'none' }))
  await using setup = clientIn({ region: regionOf(...nodes), fates: { [V4]: 'silent' } })
  const attempt = connecting(setup.client)
  for (let i = 1; i <= 6; i++) {
    await until(() => setup.network.dialled.length === i, `node ${i} is being dialled`)
    setup.clock.advance(1_500)
  }
  await until(() => setup.network.dialled.length === 7, 'node 7 is being dialled')
  setup.clock.advance(1_000)
  await expect(attempt).rejects.toMatchObject({
    code: 'ERR_DERP_DIAL_TIMEOUT',
    message: 'connect to region 1 (own): not connected after 10000 ms',
  })
  expect(setup.network.dialled).toHaveLength(7)
})

test('when all nodes fail, the first error is reported, and DNS is queried again (P-220)', async () => {
  const dns = dnsOf({ '1b.test': [V4] })
  await using setup = clientIn({ region: regionOf(node('1a'), node('1b')), dns })
  await expect(setup.client.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_DIAL_FAILED',
    message: 'dial node 1a (1a.test): no such host 1a.test',
  })
  expect(dns.expired).toEqual(['1a.test', '1b.test'])
})

test('a host with one address family reports why that failed, not that the other is missing', async () => {
  await using setup = clientIn({ region: regionOf(node('1a')), dns: dnsOf({ '1a.test': [V6] }) })
  await expect(setup.client.connect()).rejects.toMatchObject({
    message: `dial node 1a (1a.test): connect ECONNREFUSED ${V6}`,
  })
})

test('the region is looked up at each attempt, and may be missing or empty (P-220)', async () => {
  await using relay = await startHttpRelay()
  let region: DERPRegion | undefined
  const options = { useHttp: true }
  await using client = Client.forRegion(NodePrivateKey.generate(), () => region, options)
  expect(String(client)).toBe('<derphttp.Client [] region unknown>')
  await expect(client.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_REGION_UNAVAILABLE',
    message: 'connect: region not available',
  })
  region = regionOf()
  await expect(client.recv()).rejects.toMatchObject({ code: 'ERR_DERP_REGION_EMPTY' })
  region = regionOf(node('1a', { HostName: '127.0.0.1', DERPPort: relay.port }))
  await nextMessage(client, 'serverInfo')
  expect(String(client)).toBe(`<derphttp.Client ${relay.core.publicKey.shortString()} region 1 (own)>`)
})

test('a client with a URL resolves its host through the cache, and again when no address responds (P-200)', async () => {
  await using relay = await startHttpRelay()
  const dns = dnsOf({ 'relay.test': ['127.0.0.1'] })
  await using client = new Client(NodePrivateKey.generate(), `http://relay.test:${relay.port}/derp`)
  client.dnsCache = dns
  await client.connect()
  expect([dns.asked, dns.expired]).toEqual([['relay.test'], []])
  await using lost = new Client(NodePrivateKey.generate(), `http://lost.test:${relay.port}/derp`, { dnsCache: dns })
  await expect(lost.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_DIAL_FAILED',
    message: `dial http://lost.test:${relay.port}/derp: no such host lost.test`,
  })
  expect(dns.expired).toEqual(['lost.test'])
})

test('system DNS is used without a cache, and its failures are reported', async () => {
  await using relay = await startHttpRelay()
  await using client = new Client(NodePrivateKey.generate(), `http://localhost:${relay.port}/derp`)
  await client.connect()
  await using lost = new Client(NodePrivateKey.generate(), `http://${'x'.repeat(64)}.test/derp`)
  await expect(lost.connect()).rejects.toMatchObject({
    code: 'ERR_DERP_DNS_FAILED',
    message: expect.stringMatching(/^look up x{64}.test: /),
  })
})
