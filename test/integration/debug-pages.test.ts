import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { varzSamples } from '../../scripts/metric-names.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { startDebugServer } from '../support/debug-server.ts'
import { MemoryRelay } from '../support/memory-relay.ts'

const BROWSER = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'content-security-policy':
    "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'self'; block-all-mixed-content; object-src 'none'",
}
const PAGE = {
  ...BROWSER,
  'content-security-policy': `${BROWSER['content-security-policy']}; style-src 'self' 'unsafe-inline'`,
}
const DENIED = 'debug access denied\n'
const FORWARDED = { headers: { 'X-Forwarded-For': '127.0.0.1' } }

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** A request with an unnormalized target. */
async function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const request = httpRequest({ port, path, agent: false, ...options }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}

test('debug pages have the original’s types, headers and bodies (P-165, P-191, P-192, P-193, P-197)', async () => {
  await using server = await startDebugServer(new MemoryRelay(), { tlsHostname: 'relay.example', hasMeshKey: true })
  const { port } = server

  const index = await ask(port, '/debug/')
  expect(index).toMatchObject({ status: 200, headers: { ...BROWSER, 'content-type': 'text/html; charset=utf-8' } })
  for (const part of [
    '<b>Version:</b> 1.2.3',
    '<b>TLS hostname:</b> relay.example',
    '<b>Mesh key:</b> true',
    '<b>Machine:</b>',
    '<b>Uptime:</b>',
    'href="/debug/vars"',
    'href="/debug/varz"',
    'href="/debug/check"',
    'href="/debug/traffic"',
    'href="/debug/clients/"',
    'href="/debug/pprof/"',
    'href="/debug/gc"',
  ]) {
    expect(index.body).toContain(part)
  }

  const vars = await ask(port, '/debug/vars')
  expect(vars).toMatchObject({ status: 200, headers: { ...PAGE, 'content-type': 'application/json; charset=utf-8' } })
  expect(JSON.parse(vars.body)).toMatchObject({ version: '1.2.3', derp: { accepts: 0, version: '1.2.3' } })

  const varz = await ask(port, '/debug/varz')
  expect(varz).toMatchObject({ status: 200, headers: { ...PAGE, 'content-type': 'text/plain; charset=utf-8' } })
  expect(varz.body).toContain('# TYPE derp_accepts counter\nderp_accepts 0\n')

  expect(await ask(port, '/debug/check')).toMatchObject({
    status: 200,
    headers: { ...PAGE, 'content-type': 'text/plain; charset=utf-8', 'content-length': '33' },
    body: 'derp.Server ConsistencyCheck okay',
  })
  expect(await ask(port, '/debug/check', { method: 'POST' })).toMatchObject({ status: 200 })
  expect(await ask(port, '/debug/check?x=1', { method: 'HEAD' })).toMatchObject({
    status: 200,
    headers: { 'content-length': '33' },
    body: '',
  })
})

test('unknown debug pages are 404, and /debug redirects to the index (P-168, P-191)', async () => {
  await using server = await startDebugServer(new MemoryRelay())
  const { port } = server
  for (const path of ['/debug/nothing', '/debug/check/', '/debug/vars/x', '/debug/set-mutex-profile-fraction']) {
    expect(await ask(port, path)).toMatchObject({
      status: 404,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      body: '404 page not found\n',
    })
  }
  expect(await ask(port, '/debugger')).toMatchObject({ status: 200, headers: { 'content-type': /html/ } })

  expect(await ask(port, '/debug?a=1&b="')).toMatchObject({
    status: 307,
    headers: { location: '/debug/?a=1&b="', 'content-type': 'text/html; charset=utf-8' },
    body: '<a href="/debug/?a=1&amp;b=&#34;">Temporary Redirect</a>.\n\n',
  })
  expect(await ask(port, '/debug', FORWARDED)).toMatchObject({ status: 307, headers: { location: '/debug/' } })
  expect(await ask(port, '/debug', { method: 'HEAD' })).toMatchObject({ status: 307, body: '' })
  const posted = await ask(port, '/debug', { method: 'POST' })
  expect(posted).toMatchObject({ status: 307, headers: { location: '/debug/', 'content-length': '0' }, body: '' })
  expect(posted.headers['content-type']).toBeUndefined()
})

test('forwarded requests to debug pages are refused, for known and unknown pages (P-190)', async () => {
  await using server = await startDebugServer(new MemoryRelay())
  const { port } = server
  const paths = [
    '/debug/',
    '/debug/vars',
    '/debug/varz',
    '/debug/check',
    '/debug/clients',
    '/debug/traffic',
    '/debug/gc',
    '/debug/pprof/profile',
    '/debug/nothing',
  ]
  for (const path of paths) {
    const answer = await ask(port, path, FORWARDED)
    expect(answer).toMatchObject({
      status: 403,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: DENIED,
    })
    expect(answer.headers['x-frame-options']).toBeUndefined()
  }
  expect((await ask(port, '/debug/check', { headers: { 'X-Forwarded-For': '' } })).status).toBe(200)
  expect((await ask(port, '/')).body).toContain('href="/debug/"')
  expect((await ask(port, '/', FORWARDED)).body).not.toContain('/debug/')
})

test('in development mode, refusals of debug pages explain how to get access, except on the index (P-190)', async () => {
  await using server = await startDebugServer(new MemoryRelay(), { hintsAtAccess: true })
  const hint = 'debug access denied; to permit access, set TS_ALLOW_DEBUG_IP=127.0.0.1\n'
  expect(await ask(server.port, '/debug/vars', FORWARDED)).toMatchObject({ status: 403, body: hint })
  expect(await ask(server.port, '/debug/', FORWARDED)).toMatchObject({ status: 403, body: DENIED })
})

test('the debug key grants access from any address (P-190)', async () => {
  await using server = await startDebugServer(new MemoryRelay(), { access: { readKey: () => 'sesame' } })
  expect(await ask(server.port, '/debug/check?debugkey=sesame', FORWARDED)).toMatchObject({ status: 200 })
  expect(await ask(server.port, '/debug/check?debugkey=wrong', FORWARDED)).toMatchObject({ status: 403, body: DENIED })
})

test('/debug/check reports inconsistencies with status 500 (P-197)', async () => {
  const relay = new MemoryRelay()
  await using server = await startDebugServer(relay)
  const client = await relay.login()
  expect((await ask(server.port, '/debug/check')).status).toBe(200)
  relay.core.counters.currentConnections += 2
  expect(await ask(server.port, '/debug/check')).toMatchObject({
    status: 500,
    headers: { ...PAGE, 'content-type': 'text/plain; charset=utf-8' },
    body: '3 connections counted, 1 registered\n',
  })
  client.close()
})

test('a debug page responds with 500 when the relay fails to report', async () => {
  await using server = await startDebugServer(new MemoryRelay(), {
    metrics: () => Promise.reject(new Error('worker is gone')),
  })
  expect(await ask(server.port, '/debug/vars')).toMatchObject({ status: 500, body: /worker is gone/ })
})

test('/debug/clients/ shows the number of clients and lists those that match (P-189)', async () => {
  const meshKey = MeshKey.parse('ab'.repeat(32))
  const relay = new MemoryRelay({ meshKey })
  await using server = await startDebugServer(relay)
  const get = async (query: string) => {
    const answer = await ask(server.port, `/debug/clients/?format=json&${query}`)
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json; charset=utf-8' } })
    return JSON.parse(answer.body)
  }
  relay.clock.advance(5_000)
  const first = await relay.login({
    address: { address: '2001:db8::1', port: 7 },
    info: { meshKey: 'ab'.repeat(32), isProber: true, appName: 'a<b>' },
    idealNode: 'elsewhere',
  })
  first.send({ type: 'notePreferred', preferred: true })
  await first.sync()
  const privateKey = NodePrivateKey.generate()
  const second = await relay.login({ privateKey, address: { address: '192.0.2.7', port: 1 } })
  const third = await relay.login({ privateKey, address: { address: '192.0.2.8', port: 2 } })
  first.packet(third.publicKey, 'ten bytes!')
  await third.messageOf('receivedPacket')
  relay.clock.advance(60_000)

  expect(await get('')).toEqual({ conns: 3, keys: 2 })
  const all = await get('all&sort=conn')
  expect(all).toMatchObject({ query: 'all clients', conns: 3, keys: 2, remaining: 0 })
  expect(all.clients[0]).toMatchObject({
    connNum: 1,
    key: first.publicKey.toString(),
    remote: '[2001:db8::1]:7',
    connectedAt: '2026-11-01T00:00:05.000Z',
    connected: 60_000_000_000,
    active: true,
    dup: false,
    disabled: false,
    home: true,
    meshPeer: true,
    notIdeal: true,
    prober: true,
    version: 2,
    appName: 'a<b>',
    rxPkts: 1,
    rxBytes: 10,
    txPkts: 0,
    senders: 0,
    queuedPackets: 0,
  })
  // The latest connection is the one that packets go to.
  expect(all.clients.slice(1)).toMatchObject([
    { dup: true, active: false, rxPkts: 0 },
    { dup: true, active: true, txPkts: 1, txBytes: 10, senders: 1 },
  ])
  const connsOf = async (query: string) => (await get(query)).clients.map(({ connNum }: { connNum: number }) => connNum)
  expect(await connsOf(`key=${second.publicKey}`)).toEqual([2, 3])
  expect(await connsOf('ip=192.0.2.8')).toEqual([3])
  expect(await connsOf('cidr=192.0.2.0/24&sort=-ip')).toEqual([3, 2])
  expect(await connsOf('cidr=192.0.2.0/24&app=')).toEqual([2, 3])
  expect(await connsOf('app=a%3Cb%3E')).toEqual([1])
  expect(await connsOf('all&sort=-rx')).toEqual([1, 3, 2])
  expect(await connsOf('all&sort=-connected&after=1s')).toEqual([3, 2, 1])

  const html = await ask(server.port, '/debug/clients/?all')
  expect(html).toMatchObject({ status: 200, headers: { ...PAGE, 'content-type': 'text/html; charset=utf-8' } })
  expect(html.body).toContain('Showing 3 of 3 matching connections (2 node keys)')
  expect((await ask(server.port, '/debug/clients')).body).toContain('3 connections for 2 node keys')
  expect(await ask(server.port, '/debug/clients/?ip=x')).toMatchObject({ status: 400, body: 'bad ip "x"\n' })
})

test.each(['key', 'ip', 'conn', 'connected', 'rx', '-txpkts', '-connected'])(
  '/debug/clients/ lists everyone once over its pages, by %s (P-189)',
  async sort => {
    const relay = new MemoryRelay()
    await using server = await startDebugServer(relay)
    for (let n = 0; n < 23; n++) {
      if (n % 3 === 0) relay.clock.advance(1_000)
      await relay.login({ address: { address: `192.0.2.${n % 5}`, port: 1_000 + n } })
    }
    const seen: number[] = []
    let pages = 0
    for (let next: string | undefined = `?all&format=json&limit=4&sort=${sort}`; next !== undefined; pages++) {
      const page = JSON.parse((await ask(server.port, `/debug/clients/${next}`)).body)
      expect(page.remaining).toBe(Math.max(0, 23 - 4 * (pages + 1)))
      seen.push(...page.clients.map(({ connNum }: { connNum: number }) => connNum))
      next = page.next
    }
    expect(pages).toBe(6)
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, n) => n + 1))
  },
)

test('/debug/clients/ and /debug/varz show what waits for a client that does not read', async () => {
  const relay = new MemoryRelay()
  await using server = await startDebugServer(relay)
  const [sender, reader] = [await relay.login(), await relay.login()]
  reader.conn.pause()
  for (let n = 0; n < 4; n++) {
    sender.packet(reader.publicKey, new Uint8Array(100))
    await sender.sync()
  }
  // One packet is being written, the others are queued: each is header, key and payload.
  const { clients } = JSON.parse((await ask(server.port, '/debug/clients/?all&sort=conn&format=json')).body)
  expect(clients[1]).toMatchObject({ queuedPackets: 3, pendingBytes: 4 * (5 + 32 + 100) })
  const samples = varzSamples((await ask(server.port, '/debug/varz')).body)
  expect(samples.find(({ name }) => name === 'derphttp_pending_bytes')?.value).toBe(548)

  reader.conn.resume()
  await reader.messageOf('receivedPacket')
  await reader.sync()
  const later = JSON.parse((await ask(server.port, '/debug/clients/?all&sort=conn&format=json')).body)
  expect(later.clients[1]).toMatchObject({ queuedPackets: 0, pendingBytes: 0 })
})
