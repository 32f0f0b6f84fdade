import { expect, test } from 'vitest'
import type { ClientDetails } from '../../status/relay-view.ts'
import { clientsHtml, clientsJson, pageNumber } from './debug-clients.ts'

const client: ClientDetails = {
  key: 'nodekey:00',
  address: '192.0.2.1:4001',
  connectedSince: '2026-11-01T00:00:00.000Z',
  bytesReceived: 1_234,
  bytesSent: 5_678,
  queuedPackets: 3,
  pendingBytes: 99,
  flags: ['home', 'mesh'],
  appName: `<b>&"it's`,
}

test.each([
  ['', 1],
  ['page=1', 1],
  ['page=20', 20],
  ['page=0', undefined],
  ['page=-1', undefined],
  ['page=1.5', undefined],
  ['page=1e3', undefined],
  ['page=x', undefined],
  ['page=', undefined],
  ['page=9999999999999999', undefined],
])('pageNumber reads "%s" as %s', (query, wanted) => {
  expect(pageNumber(new URLSearchParams(query))).toBe(wanted)
})

test('clientsHtml lists the clients and escapes their names', () => {
  const html = clientsHtml(1, { total: 1, clients: [client] })
  expect(html).toContain('<td>nodekey:00</td><td>192.0.2.1:4001</td><td>2026-11-01T00:00:00.000Z</td>')
  expect(html).toContain('<td>1234</td><td>5678</td><td>3</td><td>99</td><td>home mesh</td>')
  expect(html).toContain('<td>&lt;b&gt;&amp;&#34;it&#39;s</td>')
  expect(html).not.toContain('<b>')
})

test.each([
  [1, 0, 'page 1 of 1', []],
  [1, 100, 'page 1 of 1', []],
  [1, 101, 'page 1 of 2', ['page=2"']],
  [2, 250, 'page 2 of 3', ['page=1"', 'page=3"']],
  [3, 250, 'page 3 of 3', ['page=2"']],
  [9, 250, 'page 9 of 3', ['page=3"']],
])('clientsHtml of page %i of %i clients shows "%s" and links adjacent pages', (page, total, where, links) => {
  const html = clientsHtml(page, { total, clients: [] })
  expect(html).toContain(where)
  expect(html.match(/page=\d+"/g) ?? []).toEqual(links)
})

test('clientsJson includes page and total', () => {
  expect(JSON.parse(clientsJson(2, { total: 101, clients: [client] }))).toEqual({
    page: 2,
    pages: 2,
    total: 101,
    clients: [client],
  })
})
