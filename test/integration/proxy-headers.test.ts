import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LogFields, silentLog } from '../../src/lib/log.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { startHeaderProxy } from '../support/header-proxy.ts'
import { ListeningRelay, type ListeningRelayOptions } from '../support/listening-relay.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { settle, until } from '../support/settle.ts'
import { TestCa } from '../support/test-ca.ts'

const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
const DEBUG = 'GET /debug/ HTTP/1.1\r\nHost: h\r\n\r\n'
const TEXT = 'PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n'
const CLIENT = { address: '192.0.2.1', port: 4711 }
const TAILNET = 'PROXY TCP4 100.64.0.9 198.51.100.2 4711 443\r\n'

/** A binary header for {@link CLIENT}, or with command LOCAL, with a 3-byte TLV. */
function binary(command = 0x21): Buffer {
  return Buffer.from(`0d0a0d0a000d0a515549540a${command.toString(16)}110012c0000201c6336402126701bb040003aabbcc`, 'hex')
}

let ca: TestCa
beforeAll(async () => {
  ca = await TestCa.create()
})

describe.each(['plain HTTP', 'TLS'])('behind a proxy that sends PROXY headers, over %s', kind => {
  let relay: ListeningRelay
  const lines: { message: string; fields: LogFields }[] = []
  const note = (message: string, fields: LogFields = {}) => void lines.push({ message, fields })

  beforeAll(async () => {
    relay = await ListeningRelay.start({ ...(await optionsOf(kind)), log: { ...silentLog, debug: note, warn: note } })
  })
  afterAll(() => relay[Symbol.asyncDispose]())

  /** A connection to `port`, secured if the relay is. */
  async function dial(port: number): Promise<Socket> {
    if (kind !== 'TLS') return connect(port, '127.0.0.1')
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'relay.test', ca: ca.certificate })
    await once(socket, 'secureConnect')
    return socket
  }

  test.for([
    ['version 1 in one piece with what follows', TEXT, false],
    ['version 1 byte by byte', TEXT, true],
    ['version 2 in one piece with what follows', binary(), false],
    ['version 2 byte by byte', binary(), true],
  ] as const)('a header of %s names the client, and no byte after it is lost (P-126)', async ([, header, byBytes]) => {
    await using proxy = await startHeaderProxy({ to: relay.port, header, byBytes })
    const socket = await dial(proxy.port)
    const { status, body } = await exchange(socket, UPGRADE)
    expect(status).toBe(101)
    const client = await RawClient.login(new NodeConn(socket, body))
    expect([...relay.relay.core.sessions].map(({ remote }) => remote)).toEqual([CLIENT])
    expect(await client.sync()).toEqual([])
    client.close()
    await until(() => relay.relay.core.sessions.size === 0, 'the session has ended')
  })

  test('debug access uses the client address, for each request of its connection (P-126, P-190)', async () => {
    const statuses = async (header: string | Buffer, ...requests: string[]) => {
      await using proxy = await startHeaderProxy({ to: relay.port, header })
      const socket = await dial(proxy.port)
      const answers: number[] = []
      for (const text of requests) answers.push((await exchange(socket, text)).status)
      socket.destroy()
      return answers
    }
    const forwarded = DEBUG.replace('\r\n\r\n', '\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n')
    expect(await statuses(TEXT, DEBUG, DEBUG)).toEqual([403, 403])
    expect(await statuses(TAILNET, DEBUG, DEBUG, forwarded)).toEqual([200, 200, 403])
    // The proxy is on loopback, but its client is unknown.
    expect(await statuses(binary(0x20), DEBUG)).toEqual([403])
    expect(await statuses('PROXY UNKNOWN\r\n', DEBUG)).toEqual([403])
  })

  test('a trusted proxy without a header, or with an invalid one, is closed (P-127)', async () => {
    const { proxyHeaders } = relay.relay.http
    const before = { ...proxyHeaders }
    lines.length = 0
    for (const begin of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01', 'PROXY TCP4 nobody\r\n']) {
      const socket = connect(relay.port, '127.0.0.1').on('error', () => {})
      socket.write(begin, 'latin1')
      await once(socket, 'close')
      expect(socket.bytesRead).toBe(0)
    }
    expect(proxyHeaders).toMatchObject({
      missing: (before.missing ?? 0) + 2,
      malformed: (before.malformed ?? 0) + 1,
    })
    expect(lines).toEqual([
      {
        message: 'PROXY header refused: let the proxy send one, or run without -proxy-protocol',
        fields: { remote: '127.0.0.1', reason: 'missing' },
      },
      { message: 'PROXY header refused', fields: { remote: '127.0.0.1', reason: 'missing' } },
      { message: 'PROXY header refused', fields: { remote: '127.0.0.1', reason: 'malformed' } },
    ])
  })

  test('a proxy that only checks the port is not counted (P-127)', async () => {
    const before = { ...relay.relay.http.proxyHeaders }
    for (const begin of ['', 'PROXY TCP4 192.0']) {
      const socket = connect(relay.port, '127.0.0.1')
      socket.end(begin)
      await once(socket.resume(), 'close')
    }
    expect(relay.relay.http.proxyHeaders).toEqual(before)
  })

  test('the header must arrive within the 10 s of the login (P-035, P-126)', async () => {
    const clock = new FakeClock()
    const expired: Socket[] = []
    const onAcceptTimeout = (socket: Socket) => void expired.push(socket)
    await using slow = await ListeningRelay.start({ ...(await optionsOf(kind)), clock, onAcceptTimeout })
    const sockets = [TEXT.slice(0, 20), TEXT].map(begin => {
      const socket = connect(slow.port, '127.0.0.1').on('error', () => {})
      socket.write(begin)
      return socket
    })
    await until(() => slow.relay.http.proxyHeaders?.v1 === 1, 'one header is complete')
    await slow.accepted(2)
    clock.advance(9_999)
    await settle()
    expect(expired).toEqual([])
    const closed = sockets.map(socket => once(socket, 'close'))
    clock.advance(1)
    await Promise.all(closed)
    expect(expired).toHaveLength(2)
  })
})

describe('other connections', () => {
  test('are served without a header, and refused with one (P-127)', async () => {
    await using relay = await ListeningRelay.start({ trustedProxies: ['192.0.2.0/24'], sendProxyHeaders: true })
    const direct = connect(relay.port, '127.0.0.1')
    expect((await exchange(direct, DEBUG)).status).toBe(200)
    direct.destroy()
    for (const header of [TEXT, binary()]) {
      await using proxy = await startHeaderProxy({ to: relay.port, header })
      const socket = connect(proxy.port, '127.0.0.1')
      expect((await exchange(socket, DEBUG)).status).toBe(400)
      socket.destroy()
    }
    expect(relay.relay.http.proxyHeaders).toEqual({ v1: 0, v2: 0, local: 0, missing: 0, malformed: 0 })
  })

  test('limits per source count the client named by a header, not the proxy (P-109, P-126)', async () => {
    const common = { trustedProxies: ['127.0.0.1'], limits: { maxConnectionsPerSource: 1 } }
    await using gated = await ListeningRelay.start({ ...common, sendProxyHeaders: true })
    await using proxy = await startHeaderProxy({ to: gated.port, header: TEXT })
    await using other = await startHeaderProxy({ to: gated.port, header: TAILNET })
    await using unnamed = await startHeaderProxy({ to: gated.port, header: 'PROXY UNKNOWN\r\n' })
    const statusAt = async (port: number) => {
      const socket = connect(port, '127.0.0.1')
      return { status: (await exchange(socket, DEBUG)).status, close: () => socket.destroy() }
    }
    const first = await statusAt(proxy.port)
    expect(first.status).toBe(403)
    await expect(statusAt(proxy.port)).rejects.toThrow('closed after ""')
    expect((await statusAt(other.port)).status).toBe(200)
    for (let n = 0; n < 2; n++) expect((await statusAt(unnamed.port)).status).toBe(403)
    first.close()
    await expect.poll(() => statusAt(proxy.port).catch(() => undefined)).toMatchObject({ status: 403 })

    await using forwarding = await ListeningRelay.start(common)
    for (let n = 0; n < 2; n++) expect((await statusAt(forwarding.port)).status).toBe(403)
    await using direct = await ListeningRelay.start({ limits: common.limits })
    expect((await statusAt(direct.port)).status).toBe(200)
    await expect(statusAt(direct.port)).rejects.toThrow('closed after ""')
  })

  test('metrics count headers by result, if headers are expected (P-126)', async () => {
    const metrics = async (relay: ListeningRelay, port: number) => {
      const socket = connect(port, '127.0.0.1')
      const { body } = await exchange(socket, DEBUG.replace('/debug/', '/debug/vars'))
      socket.destroy()
      expect(relay.relay.http.proxyHeaders === undefined).toBe(port === relay.port)
      return (JSON.parse(body.toString()) as { derphttp: Record<string, unknown> }).derphttp['counter_proxy_headers']
    }
    await using without = await ListeningRelay.start()
    expect(await metrics(without, without.port)).toBeUndefined()
    await using relay = await ListeningRelay.start({ trustedProxies: ['127.0.0.1'], sendProxyHeaders: true })
    await using local = await startHeaderProxy({ to: relay.port, header: 'PROXY UNKNOWN\r\n' })
    const socket = connect(local.port, '127.0.0.1')
    await exchange(socket, DEBUG)
    socket.destroy()
    await using proxy = await startHeaderProxy({ to: relay.port, header: TAILNET })
    expect(await metrics(relay, proxy.port)).toEqual({ v1: 1, v2: 0, local: 1, missing: 0, malformed: 0 })
  })

  test('a failed handshake is logged with the address of the client (P-126)', async () => {
    const remotes: unknown[] = []
    const debug = (message: string, fields: LogFields = {}) => {
      if (message === 'TLS handshake failed') remotes.push(fields['remote'])
    }
    await using relay = await ListeningRelay.start({ ...(await optionsOf('TLS')), log: { ...silentLog, debug } })
    const socket = connect(relay.port, '127.0.0.1').on('error', () => {})
    socket.write(`${TEXT}GET / HTTP/1.1\r\n\r\n`)
    await once(socket.resume(), 'close')
    expect(remotes).toEqual(['192.0.2.1'])
  })
})

async function optionsOf(kind: string): Promise<ListeningRelayOptions> {
  const common = { trustedProxies: ['127.0.0.0/8'], sendProxyHeaders: true }
  if (kind !== 'TLS') return common
  const certificate = await ca.issue({ dns: ['relay.test'] })
  return { ...common, tls: { hostname: 'relay.test', certificate } }
}
