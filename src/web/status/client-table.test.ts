import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import type { ClientDetails } from '../../status/client-details.ts'
import { readClientQuery } from './client-query.ts'
import { type ClientQuery, ClientTable } from './client-table.ts'

const QUERY: ClientQuery = { sort: 'rate', descending: true, filter: '', offset: 0, limit: 10 }

function client(connNum: number, parts: Partial<ClientDetails> = {}): ClientDetails {
  return {
    connNum,
    key: `nodekey:${connNum}`,
    remote: `192.0.2.${connNum}:4000`,
    connectedAt: new Date(0).toISOString(),
    connected: 0,
    active: true,
    dup: false,
    disabled: false,
    home: false,
    meshPeer: false,
    notIdeal: false,
    prober: false,
    version: 2,
    appName: '',
    rxPkts: 0,
    rxBytes: 0,
    txPkts: 0,
    txBytes: 0,
    senders: 0,
    queuedPackets: 0,
    pendingBytes: 0,
    heldBackMs: 0,
    ...parts,
  }
}

function tableOf(clients: ClientDetails[]) {
  const clock = new FakeClock()
  let looks = 0
  const source = {
    clients: async () => {
      looks++
      const listed = clients.map(details => ({ value: details.connNum, details }))
      return { conns: clients.length, keys: clients.length, remaining: 0, clients: listed }
    },
  }
  const table = new ClientTable(source, clock)
  const numbersOf = async (query: Partial<ClientQuery> = {}) =>
    (await table.rows({ ...QUERY, ...query })).rows.map(({ connNum }) => connNum)
  return { clock, table, numbersOf, looks: () => looks }
}

test('ClientTable shows for which part of the time a client was held back since the last look (P-105)', async () => {
  const clients = [client(1, { heldBackMs: 500, connected: 10e9 }), client(2)]
  const { clock, table } = tableOf(clients)
  const flags = async (filter = '') => (await table.rows({ ...QUERY, sort: 'key', filter })).rows.map(row => row.flags)
  expect(await flags()).toEqual(['', 'held back 5 %'])
  clock.advance(2_000)
  clients[0] = client(1, { heldBackMs: 2_000, connected: 12e9 })
  expect(await flags('held back')).toEqual(['held back 75 %'])
})

test('ClientTable shows rates between two looks, and the average of a client that is new', async () => {
  const clients = [client(1, { rxBytes: 1_000, connected: 10e9 })]
  const { clock, table } = tableOf(clients)
  expect((await table.rows(QUERY)).rows[0]).toMatchObject({ ageSeconds: 10, rate: 100 })
  clock.advance(2_000)
  clients[0] = client(1, { rxBytes: 1_500, txBytes: 500, connected: 12e9 })
  clients.push(client(2, { txBytes: 80, connected: 1e9 }))
  const { rows } = await table.rows(QUERY)
  expect(rows.map(({ connNum, rate }) => [connNum, rate])).toEqual([
    [1, 500],
    [2, 80],
  ])
  // After a pause, the rate since then would be that of long ago.
  clock.advance(61_000)
  expect((await table.rows(QUERY)).rows[0]?.rate).toBeCloseTo(2_000 / 12)
})

test('ClientTable queries the relay at most once a second', async () => {
  const { clock, numbersOf, looks } = tableOf([client(1)])
  await Promise.all([numbersOf(), numbersOf(), numbersOf()])
  await numbersOf()
  expect(looks()).toBe(1)
  clock.advance(1_000)
  await numbersOf()
  expect(looks()).toBe(2)
})

test('ClientTable sorts each look anew, though it remembers orders of the last one', async () => {
  const clients = [client(1, { queuedPackets: 1 }), client(2)]
  const { clock, numbersOf } = tableOf(clients)
  const queued = { sort: 'queued' } as const
  expect(await numbersOf(queued)).toEqual([1, 2])
  clients[1] = client(2, { queuedPackets: 5 })
  expect(await numbersOf(queued)).toEqual([1, 2])
  clock.advance(1_000)
  expect(await numbersOf(queued)).toEqual([2, 1])
})

test('ClientTable sorts in both directions, keeps equal clients in order of login, and filters by any text of a client', async () => {
  const { table, numbersOf } = tableOf([
    client(1, { queuedPackets: 3, appName: 'Prober', remote: '[2001:db8::1]:4000' }),
    client(2, { queuedPackets: 9, roundTripMs: 4 }),
    client(3, { queuedPackets: 3, home: true, dup: true, remote: '192.0.2.10:9' }),
  ])
  expect(await numbersOf({ sort: 'queued' })).toEqual([2, 1, 3])
  expect(await numbersOf({ sort: 'queued', descending: false })).toEqual([1, 3, 2])
  expect(await numbersOf({ sort: 'rtt' })).toEqual([2, 1, 3])
  expect(await numbersOf({ sort: 'key', descending: false })).toEqual([1, 2, 3])
  expect(await numbersOf({ sort: 'address', descending: false })).toEqual([2, 3, 1])
  expect(await numbersOf({ filter: 'PROBER' })).toEqual([1])
  expect(await numbersOf({ filter: 'home · duplicate' })).toEqual([3])
  expect(await numbersOf({ filter: '192.0.2.2' })).toEqual([2])
  expect(await table.rows({ ...QUERY, filter: 'nodekey', offset: 1, limit: 1 })).toMatchObject({
    total: 3,
    matching: 3,
    offset: 1,
    rows: [{ connNum: 2 }],
  })
})

test.each([
  ['', QUERY],
  [
    'sort=rtt&order=ascending&filter=a%20b&offset=20&limit=10',
    { ...QUERY, sort: 'rtt', descending: false, filter: 'a b', offset: 20 },
  ],
  ['sort=secret', undefined],
  ['order=up', undefined],
  ['limit=201', undefined],
  ['limit=-1', undefined],
  ['offset=1.5', undefined],
  [`filter=${'x'.repeat(101)}`, undefined],
])('readClientQuery reads "%s"', (text, wanted) => {
  const query = readClientQuery(new URLSearchParams(text))
  expect(query).toEqual(wanted && { ...wanted, limit: text.includes('limit') ? wanted.limit : 100 })
})
