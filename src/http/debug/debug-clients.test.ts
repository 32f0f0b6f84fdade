import { expect, test } from 'vitest'
import type { ClientDetails } from '../../status/client-details.ts'
import type { ClientsQuery } from '../../status/clients-query.ts'
import { clientsHtml, clientsIndexHtml, clientsJson } from './debug-clients.ts'

const query: ClientsQuery = {
  filter: { kind: 'all' },
  apps: undefined,
  sort: 'conn',
  isDescending: false,
  limit: 1,
  after: undefined,
}

const client: ClientDetails = {
  connNum: 3,
  key: 'nodekey:00',
  remote: '[2001:db8::1]:4001',
  connectedAt: '2026-11-01T00:00:00.000Z',
  connected: 60_000_000_000,
  active: true,
  dup: true,
  disabled: false,
  home: true,
  meshPeer: false,
  notIdeal: false,
  prober: false,
  version: 2,
  appName: `<b>&"it's`,
  rxPkts: 1,
  rxBytes: 1_234,
  txPkts: 2,
  txBytes: 5_678,
  senders: 4,
  queuedPackets: 3,
  pendingBytes: 99,
  heldBackMs: 12_340,
}

const page = (remaining: number) => ({
  conns: 1 + remaining,
  keys: 1,
  remaining,
  clients: [{ value: 3, details: client }],
})

test('clientsJson has the names of the original, and the next page if there is one (P-189)', () => {
  const text = clientsJson(query, page(2))
  expect(JSON.parse(text)).toEqual({
    query: 'all clients',
    conns: 3,
    keys: 1,
    remaining: 2,
    next: '?after=3&all=1&format=json&limit=1&sort=conn',
    clients: [client],
  })
  expect(text).toContain('"key": "nodekey:00"')
  expect(JSON.parse(clientsJson(query, page(0)))).not.toHaveProperty('next')
})

test('clientsHtml lists the clients, links to others, and escapes what they say of themselves', () => {
  const html = clientsHtml(query, page(2))
  expect(html).toContain('Showing 1 of 3 matching connections (1 node keys).')
  expect(html).toContain('<a href="?after=3&amp;all=1&amp;limit=1&amp;sort=conn">Next page</a> (2 more)')
  expect(html).toContain('<a href="?ip=2001%3Adb8%3A%3A1">[2001:db8::1]:4001</a>')
  expect(html).toContain('<td>home dup-active</td>')
  expect(html).toContain('>&lt;b&gt;&amp;&#34;it&#39;s</a>')
  expect(html).toContain('<td>1</td><td>1234</td><td>2</td><td>5678</td><td>4</td><td>3</td><td>99</td><td>12.3 s</td>')
  expect(html).not.toContain('<b>')
  // A click on the current column reverses the order; counters begin in descending order.
  expect(html).toContain('sort=-conn">conn#</a> ▲')
  expect(html).toContain('sort=-rx">rx bytes</a>')
  expect(html).toContain('sort=key">node key</a>')
  expect(clientsHtml(query, page(0))).not.toContain('Next page')
})

test('clientsIndexHtml shows the number of clients and the query form', () => {
  const html = clientsIndexHtml({ conns: 4, keys: 3, heldBack: undefined })
  expect(html).toContain('4 connections for 3 node keys')
  for (const name of ['all', 'ip', 'cidr', 'key', 'app']) expect(html).toContain(`name="${name}"`)
})
