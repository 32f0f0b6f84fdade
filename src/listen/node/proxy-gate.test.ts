import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { settle } from '../../../test/support/settle.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import { HttpCounters } from '../../metrics/http-counters.ts'
import { ProxyGate } from './proxy-gate.ts'

const PROXY = '192.0.2.9'
const TEXT = 'PROXY TCP4 192.0.2.1 198.51.100.2 4711 443\r\n'
const BINARY = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0000201c6336402126701bb', 'hex')
const CLIENT = { address: '192.0.2.1', port: 4711 }

function setUp({ sendHeaders = true, log = silentLog }: { sendHeaders?: boolean; log?: Log } = {}) {
  const counters = new HttpCounters()
  return { counters, gate: new ProxyGate({ trustedProxies: [PROXY], sendHeaders, counters, log }) }
}

/** What the gate finds on a connection from `remoteAddress` that starts with `bytes`. */
async function read(gate: ProxyGate, remoteAddress: string | undefined, bytes: string | Buffer) {
  const [client, served] = duplexPair()
  const socket = Object.assign(served, { remoteAddress }) as unknown as Socket
  const sources: unknown[] = []
  gate.readHeader(socket, source => sources.push(source))
  client.write(bytes)
  await settle()
  return { sources, socket }
}

test.each([
  ['version 1', TEXT, CLIENT, 'v1'],
  ['version 2', BINARY, CLIENT, 'v2'],
  ['version 1 without a client', 'PROXY UNKNOWN\r\n', undefined, 'local'],
] as const)('ProxyGate removes a header of %s, and counts it (P-126)', async (_, header, source, kind) => {
  const { gate, counters } = setUp()
  const { sources, socket } = await read(gate, PROXY, Buffer.concat([Buffer.from(header), Buffer.from('rest')]))
  expect([sources, String(socket.read())]).toEqual([[source], 'rest'])
  const none = { v1: 0, v2: 0, local: 0, missing: 0, malformed: 0 }
  expect(counters.proxyHeaders).toEqual({ ...none, [kind]: 1 })
})

test('ProxyGate puts nothing back when only the header has come (P-126)', async () => {
  const { sources, socket } = await read(setUp().gate, PROXY, TEXT)
  expect([sources, socket.readableLength, socket.read()]).toEqual([[CLIENT], 0, null])
})

test('ProxyGate warns of the first proxy that sends no header, the others are routine (P-127)', async () => {
  const lines: unknown[] = []
  const log = {
    ...silentLog,
    warn: (...line: unknown[]) => void lines.push(['warn', line[1]]),
    debug: (...line: unknown[]) => void lines.push(['debug', line[1]]),
  }
  const { gate, counters } = setUp({ log })
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'PROXY TCP4 nobody\r\n', 'x']) {
    const { sources, socket } = await read(gate, PROXY, bytes)
    expect([sources, socket.destroyed]).toEqual([[], true])
  }
  expect(lines).toEqual([
    ['warn', { remote: PROXY, reason: 'missing' }],
    ['debug', { remote: PROXY, reason: 'malformed' }],
    ['debug', { remote: PROXY, reason: 'missing' }],
  ])
  expect(counters.proxyHeaders).toMatchObject({ missing: 2, malformed: 1 })
})

test.each([
  ['192.0.2.1', true],
  [undefined, true],
  [PROXY, false],
])('ProxyGate leaves all bytes of %s, where headers are sent: %s (P-127)', async (address, sendHeaders) => {
  const { sources, socket } = await read(setUp({ sendHeaders }).gate, address, TEXT)
  expect([sources, String(socket.read())]).toEqual([[undefined], TEXT])
})

test.each([true, false])('ProxyGate knows whether headers are sent: %s, and counts only then (P-126)', sendHeaders => {
  const { gate, counters } = setUp({ sendHeaders })
  expect([gate.readsHeaders, counters.proxyHeaders !== undefined]).toEqual([sendHeaders, sendHeaders])
})

test('ProxyGates of one relay count together (P-126)', () => {
  const { counters } = setUp()
  const { proxyHeaders } = counters
  new ProxyGate({ trustedProxies: [], sendHeaders: true, counters })
  expect(counters.proxyHeaders).toBe(proxyHeaders)
})

test('ProxyGate knows the one client of a connection, unless a proxy may serve many (P-127)', () => {
  const { gate } = setUp()
  expect(['192.0.2.1', PROXY, undefined].map(address => gate.clientAddress(address))).toEqual([
    '192.0.2.1',
    undefined,
    undefined,
  ])
})
