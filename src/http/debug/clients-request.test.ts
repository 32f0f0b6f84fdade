import { expect, test } from 'vitest'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { ClientDetails } from '../../status/client-details.ts'
import type { ClientsQuery } from '../../status/clients-query.ts'
import { BadQueryError, clientsLink, describeQuery, readClientsQuery, sortParameter } from './clients-request.ts'

const NOW_MS = 1_800_000_000_000
const KEY = NodePrivateKey.generate().publicKey().toString()

const read = (query: string) => readClientsQuery(new URLSearchParams(query), NOW_MS)

function readWhole(query: string): ClientsQuery {
  const found = read(query)
  if (found === undefined) throw new Error(`read ${query}: no filter`)
  return found
}

test.each([
  ['', undefined],
  ['sort=ip&limit=5', undefined],
  ['all', { kind: 'all' }],
  ['app=x', { kind: 'all' }],
  ['ip=192.0.2.1', { kind: 'ip', address: '192.0.2.1' }],
  ['ip=::ffff:192.0.2.1', { kind: 'ip', address: '192.0.2.1' }],
  ['ip=2001:DB8:0::1', { kind: 'ip', address: '2001:db8::1' }],
  ['cidr=10.0.0.0/8', { kind: 'cidr', address: '10.0.0.0', bits: 8 }],
  [`key=${KEY}`, { kind: 'key', key: KEY }],
])('readClientsQuery finds the filter of "%s" (P-189)', (query, filter) => {
  expect(read(query)?.filter).toEqual(filter)
})

test.each([
  ['all', 'key', false, 100, undefined],
  ['all&sort=-rx&limit=7', 'rx', true, 7, undefined],
  ['all&limit=5000', 'key', false, 1_000, undefined],
  ['all&sort=conn&after=12&afterconn=3', 'conn', false, 100, { value: 12, connNum: undefined }],
  ['all&sort=tx&after=12&afterconn=3', 'tx', false, 100, { value: 12, connNum: 3 }],
  [`all&after=${KEY}`, 'key', false, 100, { value: KEY, connNum: undefined }],
  ['all&sort=connected&after=30m', 'connected', false, 100, { value: NOW_MS - 1_800_000, connNum: undefined }],
  ['all&sort=connected&after=1790000000123000000', 'connected', false, 100, { value: 1_790_000_000_123 }],
  ['all&sort=ip&after=[::1]:7', 'ip', false, 100, { value: `6 ${'0'.repeat(31)}1 00007` }],
  ['all&sort=ip&after=127.0.0.1', 'ip', false, 100, { value: `4 ${'0'.repeat(20)}ffff7f000001 65535` }],
  ['all&sort=-ip&after=127.0.0.1', 'ip', true, 100, { value: `4 ${'0'.repeat(20)}ffff7f000001 00000` }],
])('readClientsQuery reads order, size and cursor of "%s" (P-189)', (query, sort, isDescending, limit, after) => {
  const found = readWhole(query)
  expect([found.sort, found.isDescending, found.limit]).toEqual([sort, isDescending, limit])
  if (after === undefined) expect(found.after).toBeUndefined()
  else expect(found.after).toMatchObject(after)
})

test.each([
  ['all&ip=1.2.3.4', 'only one of all, ip, cidr, or key may be given'],
  ['ip=1.2.3', 'bad ip "1.2.3"'],
  ['cidr=10.0.0.0', 'bad cidr "10.0.0.0"'],
  ['cidr=10.0.0.0/33', 'bad cidr "10.0.0.0/33"'],
  ['key=8cde', 'bad key "8cde"'],
  ['all&format=xml', 'bad format "xml"; want json or html'],
  ['all&sort=age', 'bad sort "age"; want one of key, ip,'],
  ['all&limit=0', 'bad limit "0"'],
  ['all&limit=x', 'bad limit "x"'],
  ['all&sort=conn&after=nodekey:00', 'bad after "nodekey:00"; not a value of sort=conn'],
  ['all&sort=rx&after=-1', 'bad after "-1"'],
  ['all&sort=ip&after=relay', 'bad after "relay"'],
  ['all&sort=connected&after=soon', 'bad after "soon"'],
  ['all&sort=rx&after=1&afterconn=x', 'bad afterconn "x"'],
])('readClientsQuery refuses "%s" with the parameter and its value (P-189)', (query, message) => {
  expect(() => read(query)).toThrow(BadQueryError)
  expect(() => read(query)).toThrow(message)
})

test.each([
  ['all=1', 'all clients'],
  ['ip=192.0.2.1', 'clients from 192.0.2.1'],
  ['cidr=10.0.0.0/8&app=one&app=', 'clients from 10.0.0.0/8 with app one or (none)'],
  [`key=${KEY}`, `connections for ${KEY}`],
])('describeQuery and clientsLink keep all of "%s"', (query, words) => {
  const found = readWhole(query)
  expect(describeQuery(found)).toBe(words)
  const link = clientsLink(found, { sort: sortParameter(found), format: 'html' })
  expect(readWhole(link.slice(1))).toEqual(found)
})

test.each([
  ['key', KEY],
  ['ip', `4 ${'0'.repeat(20)}ffffc0000201 04001`],
  ['conn', 5],
  ['connected', 1_790_000_000_123],
  ['tx', 9],
] as const)('clientsLink to the page behind a client continues behind it, by %s', (sort, value) => {
  const query = readWhole(`all&sort=-${sort}&limit=7`)
  const details = { connNum: 5, remote: '192.0.2.1:4001' } as ClientDetails
  const link = clientsLink(query, { sort: sortParameter(query), behind: { value, details }, format: 'json' })
  expect(link).toContain('format=json')
  const after = { value, connNum: sort === 'conn' ? undefined : 5 }
  expect(readWhole(link.slice(1))).toEqual({ ...query, after })
})
