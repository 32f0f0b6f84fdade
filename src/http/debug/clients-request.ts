/** Reads the query of `/debug/clients/`, and writes links to other pages of it: the names are the newest original's (P-189). */

import { BlockList } from 'node:net'
import { NodePublicKey } from '../../keys/node-key.ts'
import { ipFamilyOf } from '../../lib/address-port.ts'
import { parseDuration } from '../../lib/duration.ts'
import {
  type ClientsFilter,
  type ClientsQuery,
  type ClientsSort,
  type ListedClient,
  plainAddress,
  type SortValue,
  sortableAddress,
} from '../../status/clients-query.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000
const MAX_PORT = 65_535
const NANOSECONDS_PER_MS = 1_000_000n

export const SORTS: readonly ClientsSort[] = ['key', 'ip', 'conn', 'connected', 'rx', 'tx', 'rxpkts', 'txpkts', 'held']
/** Sort keys that begin with the largest value by default. */
export const COUNTERS: ReadonlySet<ClientsSort> = new Set(['rx', 'tx', 'rxpkts', 'txpkts', 'held'])

/** A value of the query that cannot be used; the message is the reply. */
export class BadQueryError extends Error {}

/**
 * Reads the parameters; undefined if there is no filter among them.
 *
 * @param wallNowMs for a duration as `after`. @throws BadQueryError naming parameter and value.
 */
export function readClientsQuery(parameters: URLSearchParams, wallNowMs: number): ClientsQuery | undefined {
  formatOf(parameters)
  const filter = filterOf(parameters)
  if (filter === undefined) return undefined
  const { sort, isDescending } = orderOf(parameters)
  return {
    filter,
    apps: parameters.has('app') ? parameters.getAll('app') : undefined,
    sort,
    isDescending,
    limit: limitOf(parameters),
    after: cursorOf(parameters, { sort, isDescending }, wallNowMs),
  }
}

/** @throws BadQueryError for any other. */
export function formatOf(parameters: URLSearchParams): 'html' | 'json' {
  const format = parameters.get('format') || 'html'
  if (format !== 'html' && format !== 'json') throw bad('format', format, 'want json or html')
  return format
}

/** The filter in words. */
export function describeQuery({ filter, apps }: ClientsQuery): string {
  const clients = describeFilter(filter)
  return apps === undefined ? clients : `${clients} with app ${apps.map(app => app || '(none)').join(' or ')}`
}

function describeFilter(filter: ClientsFilter): string {
  switch (filter.kind) {
    case 'all':
      return 'all clients'
    case 'ip':
      return `clients from ${filter.address}`
    case 'cidr':
      return `clients from ${filter.address}/${filter.bits}`
    case 'key':
      return `connections for ${filter.key}`
  }
}

export interface ClientsLink {
  readonly sort: string
  /** The client that the page begins after; without it the first page. */
  readonly behind?: ListedClient | undefined
  readonly format: 'html' | 'json'
}

/** A link to a page of the same clients, relative to this one. */
export function clientsLink(query: ClientsQuery, { sort, behind, format }: ClientsLink): string {
  const { filter, apps = [], limit } = query
  const parameters = new URLSearchParams(filterParameter(filter))
  for (const app of apps) parameters.append('app', app)
  parameters.set('sort', sort)
  if (behind !== undefined) {
    parameters.set('after', cursorText(query.sort, behind))
    if (query.sort !== 'conn') parameters.set('afterconn', String(behind.details.connNum))
  }
  if (limit !== DEFAULT_LIMIT) parameters.set('limit', String(limit))
  if (format === 'json') parameters.set('format', 'json')
  parameters.sort()
  return `?${parameters}`
}

/** The order as the parameter has it. */
export function sortParameter({ sort, isDescending }: Pick<ClientsQuery, 'sort' | 'isDescending'>): string {
  return isDescending ? `-${sort}` : sort
}

function filterOf(parameters: URLSearchParams): ClientsFilter | undefined {
  const [ip, cidr, key] = ['ip', 'cidr', 'key'].map(name => parameters.get(name) || undefined)
  const filters: ClientsFilter[] = [
    ...(parameters.has('all') ? [{ kind: 'all' } as const] : []),
    ...(ip === undefined ? [] : [ipFilter(ip)]),
    ...(cidr === undefined ? [] : [cidrFilter(cidr)]),
    ...(key === undefined ? [] : [{ kind: 'key', key: keyOf('key', key) } as const]),
  ]
  if (filters.length > 1) throw new BadQueryError('only one of all, ip, cidr, or key may be given')
  const [filter] = filters
  return filter ?? (parameters.has('app') ? { kind: 'all' } : undefined)
}

function filterParameter(filter: ClientsFilter): Record<string, string> {
  switch (filter.kind) {
    case 'all':
      return { all: '1' }
    case 'ip':
      return { ip: filter.address }
    case 'cidr':
      return { cidr: `${filter.address}/${filter.bits}` }
    case 'key':
      return { key: filter.key }
  }
}

function ipFilter(text: string): ClientsFilter {
  if (ipFamilyOf(text) === undefined) throw bad('ip', text)
  return { kind: 'ip', address: plainAddress(text) }
}

function cidrFilter(text: string): ClientsFilter {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const family = ipFamilyOf(address)
  try {
    if (family === undefined) throw new RangeError()
    new BlockList().addSubnet(address, Number(digits), family === 4 ? 'ipv4' : 'ipv6')
  } catch {
    throw bad('cidr', text)
  }
  return { kind: 'cidr', address, bits: Number(digits) }
}

function keyOf(name: string, text: string): string {
  try {
    return NodePublicKey.parse(text).toString()
  } catch {
    throw bad(name, text)
  }
}

function orderOf(parameters: URLSearchParams): Pick<ClientsQuery, 'sort' | 'isDescending'> {
  const text = parameters.get('sort') || 'key'
  const isDescending = text.startsWith('-')
  const sort = SORTS.find(name => name === (isDescending ? text.slice(1) : text))
  if (sort === undefined) throw bad('sort', text, `want one of ${SORTS.join(', ')}, optionally with a leading -`)
  return { sort, isDescending }
}

function limitOf(parameters: URLSearchParams): number {
  const text = parameters.get('limit') || String(DEFAULT_LIMIT)
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) throw bad('limit', text)
  return Math.min(Number(text), MAX_LIMIT)
}

function cursorOf(
  parameters: URLSearchParams,
  order: Pick<ClientsQuery, 'sort' | 'isDescending'>,
  wallNowMs: number,
): ClientsQuery['after'] {
  const text = parameters.get('after') || ''
  if (text === '') return undefined
  const value = cursorValue(text, order, wallNowMs)
  if (value === undefined) throw bad('after', text, `not a value of sort=${order.sort}`)
  const conn = parameters.get('afterconn') || ''
  if (conn === '' || order.sort === 'conn') return { value, connNum: undefined }
  return { value, connNum: wholeNumber(conn) ?? fail(bad('afterconn', conn)) }
}

function cursorValue(
  text: string,
  { sort, isDescending }: Pick<ClientsQuery, 'sort' | 'isDescending'>,
  wallNowMs: number,
): SortValue | undefined {
  if (sort === 'key') return keyOf('after', text)
  if (sort === 'ip') return addressCursor(text, isDescending)
  if (sort !== 'connected') return wholeNumber(text)
  if (/^\d{1,19}$/.test(text)) return Number(BigInt(text) / NANOSECONDS_PER_MS)
  const ageMs = parseDuration(text)
  return ageMs === undefined ? undefined : wallNowMs - ageMs
}

/** An address without a port sorts after all its ports. */
function addressCursor(text: string, isDescending: boolean): string | undefined {
  if (ipFamilyOf(text) !== undefined) return sortableAddress(text, isDescending ? 0 : MAX_PORT)
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const address = bracketed ?? plain ?? ''
  return ipFamilyOf(address) === undefined ? undefined : sortableAddress(address, Number(port))
}

function cursorText(sort: ClientsSort, { value, details }: ListedClient): string {
  if (sort === 'ip') return details.remote
  return sort === 'connected' ? String(BigInt(Math.round(Number(value))) * NANOSECONDS_PER_MS) : String(value)
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined
}

function bad(name: string, value: string, reason?: string): BadQueryError {
  return new BadQueryError(`bad ${name} ${JSON.stringify(value)}${reason === undefined ? '' : `; ${reason}`}`)
}

function fail(error: Error): never {
  throw error
}
