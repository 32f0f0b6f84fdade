import { expect, test } from 'vitest'
import { encodeUtf8 } from '../../lib/bytes.ts'
import { clientsUrl, readClientsPage } from './clients/clients-page.ts'
import { clientsText } from './clients/clients-text.ts'

const RELAY = new URL('https://relay.test:8443/derp')

test.each([
  [{}, 'all=1&format=json'],
  [{ app: ['a', 'b c'] }, 'all=1&app=a&app=b+c&format=json'],
  [{ ip: '192.0.2.1', sort: '-rx', limit: 5 }, 'ip=192.0.2.1&sort=-rx&limit=5&format=json'],
  [{ cidr: '192.0.2.0/24', debugKey: 'se&cret' }, 'cidr=192.0.2.0%2F24&debugkey=se%26cret&format=json'],
])('asks for %j', (wish, query) => {
  expect(clientsUrl(RELAY, wish).href).toBe(`https://relay.test:8443/debug/clients/?${query}`)
})

const page = (status: number, text: string) => () => readClientsPage('relay.test', status, encodeUtf8(text))

test.each([
  [
    404,
    '404 page not found',
    'show clients of relay.test: it has no page /debug/clients/; the original has one only in releases after v1.84.1',
  ],
  [
    403,
    'debug access denied',
    'debug access denied; ask on its machine at a loopback address, such as http://127.0.0.1, or from its tailnet, or pass its debug key by --token',
  ],
  [403, 'Forbidden\u001b[31m by a proxy', 'status 403: Forbidden?[31m by a proxy'],
  [400, 'bad sort "x"; want one of key\n', 'show clients of relay.test: bad sort "x"; want one of key'],
  [200, '<html>', 'its reply is not a list of clients; is this a relay?'],
  [200, '{"clients": 3}', 'its reply is not a list of clients; is this a relay?'],
])('status %d with %j is refused', (status, text, reason) => {
  expect(page(status, text)).toThrow(reason)
})

test('shows what there is, in columns that anyone fills, and nothing that moves a cursor', () => {
  const key = `nodekey:${'0a'.repeat(32)}`
  const base = {
    key,
    remote: '192.0.2.7:41641',
    connected: 3_725e9,
    rxPkts: 1,
    rxBytes: 1_500,
    txPkts: 20,
    txBytes: 2_000_000,
  }
  const clients = [
    { ...base, home: true, dup: true, active: true, appName: 'x\u001b[2Jy', roundTripMs: 12.34, pendingBytes: 0 },
    { ...base, remote: '[2001:db8::1]:1', meshPeer: true, pendingBytes: 900 },
  ]
  const read = page(200, JSON.stringify({ query: 'all clients', conns: 5, keys: 1, remaining: 3, clients }))()
  expect(clientsText(read)).toBe(`all clients: 5 connections of 1 key

key      address          connected  flags            app     sent to relay      received             waiting  round trip
[CgoKC]  192.0.2.7:41641  1h2m5s     home dup-active  x?[2Jy  1 packet, 1.50 kB  20 packets, 2.00 MB           12.3 ms
[CgoKC]  [2001:db8::1]:1  1h2m5s     mesh                     1 packet, 1.50 kB  20 packets, 2.00 MB  900 B
… and 3 more; see --limit
`)
  expect(clientsText({ ...read, conns: 0, keys: 0, remaining: 0, clients: [] })).toBe(
    'all clients: 0 connections of 0 keys\n',
  )
})
