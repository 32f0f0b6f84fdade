/**
 * What `/debug/clients/` lists: a filter, an order and a page of it.
 *
 * Plain data, so that workers can be asked: each answers for its own clients, and the parts are merged.
 * Clause: P-189.
 */

import { BlockList } from 'node:net'
import { addressFrom16, addressTo16, ipFamilyOf } from '../lib/address-port.ts'
import type { Session } from '../server/session.ts'
import type { ClientDetails } from './client-details.ts'

export type ClientsFilter =
  | { readonly kind: 'all' }
  /** IPv4 in its own form. */
  | { readonly kind: 'ip'; readonly address: string }
  | { readonly kind: 'cidr'; readonly address: string; readonly bits: number }
  | { readonly kind: 'key'; readonly key: string }

/** Sort keys of connections; ties are broken by connection number. */
export type ClientsSort = 'key' | 'ip' | 'conn' | 'connected' | 'rx' | 'tx' | 'rxpkts' | 'txpkts' | 'held'

/** A value of the sort key: `ip` as {@link sortableAddress} gives it, `connected` in milliseconds since 1970. */
export type SortValue = string | number

export interface ClientsQuery {
  readonly filter: ClientsFilter
  /** Application names, one of which a client must have; an empty one is that of clients without. Undefined for any. */
  readonly apps: readonly string[] | undefined
  readonly sort: ClientsSort
  readonly isDescending: boolean
  /** Connections on a page. */
  readonly limit: number
  /** The page begins after this one; without a connection number, after all that have the value. */
  readonly after: { readonly value: SortValue; readonly connNum: number | undefined } | undefined
}

/** One connection of a page, with the value that it was sorted by. */
export interface ListedClient {
  readonly value: SortValue
  readonly details: ClientDetails
}

/** One thread's share of a page. */
export interface ClientsPart {
  /** Connections that match the filter. */
  readonly conns: number
  /** Keys that match and have one connection. */
  readonly singleKeys: number
  /** Keys that match and have several connections: another thread may have one of them too. */
  readonly sharedKeys: readonly string[]
  /** Matching connections behind the cursor. */
  readonly past: number
  /** The first of these, in order. */
  readonly clients: readonly ListedClient[]
}

/** A page of connections. */
export interface ClientsPage {
  readonly conns: number
  readonly keys: number
  /** Matching connections behind this page. */
  readonly remaining: number
  readonly clients: readonly ListedClient[]
}

/** Makes the numbers of connections unique where several threads count: `number * step + offset`. */
export interface Numbering {
  readonly step: number
  readonly offset: number
}

export const OWN_NUMBERS: Numbering = Object.freeze({ step: 1, offset: 0 })

interface Candidate {
  readonly session: Session
  readonly value: SortValue
  readonly connNum: number
}

/** How the sessions of one thread are shown. */
export interface SessionView extends Numbering {
  /** When the client logged in, in milliseconds since 1970. */
  readonly connectedAtMs: (session: Session) => number
  readonly detailsOf: (session: Session, connNum: number) => ClientDetails
}

/** The part of a page that these sessions make up. */
export function selectClients(
  sessions: Iterable<Session>,
  query: ClientsQuery,
  { step, offset, connectedAtMs, detailsOf }: SessionView,
): ClientsPart {
  const matches = matcherOf(query)
  const order = orderOf(query)
  const sortValueOf = valueReader(query.sort, connectedAtMs)
  const sharedKeys = new Set<string>()
  let [conns, singleKeys, past] = [0, 0, 0]
  let nearest: Candidate[] = []
  const keepNearest = () => {
    nearest = nearest.sort(order).slice(0, query.limit)
  }
  for (const session of sessions) {
    if (!matches(session)) continue
    conns++
    if (session.isDuplicate) sharedKeys.add(session.key.toHex())
    else singleKeys++
    const connNum = session.tally.connNum * step + offset
    const candidate = { session, connNum, value: sortValueOf(session, connNum) }
    if (!isBehind(query, candidate)) continue
    past++
    // Sorted now and then: a large relay is traversed once, holding two pages at most.
    if (nearest.push(candidate) >= 2 * query.limit) keepNearest()
  }
  keepNearest()
  const clients = nearest.map(({ session, connNum, value }) => ({ value, details: detailsOf(session, connNum) }))
  return { conns, singleKeys, sharedKeys: [...sharedKeys], past, clients }
}

/** Joins the parts of all threads. */
export function mergeClients(parts: readonly ClientsPart[], query: ClientsQuery): ClientsPage {
  const sum = (of: (part: ClientsPart) => number) => parts.reduce((total, part) => total + of(part), 0)
  const order = orderOf(query)
  const clients = parts
    .flatMap(part => part.clients)
    .sort((a, b) => order({ ...a, connNum: a.details.connNum }, { ...b, connNum: b.details.connNum }))
    .slice(0, query.limit)
  return {
    conns: sum(part => part.conns),
    keys: sum(part => part.singleKeys) + new Set(parts.flatMap(part => part.sharedKeys)).size,
    remaining: sum(part => part.past) - clients.length,
    clients,
  }
}

/** Text that sorts as addresses do: IPv4 first, then by number, then by port. */
export function sortableAddress(address: string, port: number): string {
  const hex = Buffer.from(addressTo16(address)).toString('hex')
  return `${ipFamilyOf(address) ?? 0} ${hex} ${String(port).padStart(5, '0')}`
}

/** The form in which one address is always the same text. */
export function plainAddress(address: string): string {
  return addressFrom16(addressTo16(address))
}

function matcherOf({ filter, apps }: ClientsQuery): (session: Session) => boolean {
  const matches = filterOf(filter)
  if (apps === undefined) return matches
  const names = new Set(apps)
  return session => names.has(session.appName ?? '') && matches(session)
}

function filterOf(filter: ClientsFilter): (session: Session) => boolean {
  switch (filter.kind) {
    case 'all':
      return () => true
    case 'key':
      return ({ key }) => key.toString() === filter.key
    case 'ip':
      return ({ remote }) => remote !== undefined && plainAddress(remote.address) === filter.address
    case 'cidr': {
      const block = new BlockList()
      block.addSubnet(filter.address, filter.bits, typeOf(filter.address))
      return ({ remote }) => {
        const address = remote && plainAddress(remote.address)
        return address !== undefined && block.check(address, typeOf(address))
      }
    }
  }
}

function typeOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

function valueReader(
  sort: ClientsSort,
  connectedAtMs: SessionView['connectedAtMs'],
): (session: Session, connNum: number) => SortValue {
  switch (sort) {
    case 'key':
      return ({ key }) => key.toString()
    case 'ip':
      return ({ remote }) => (remote === undefined ? '' : sortableAddress(remote.address, remote.port))
    case 'conn':
      return (_, connNum) => connNum
    case 'connected':
      return connectedAtMs
    case 'rx':
      return ({ tally }) => tally.packetBytesReceived
    case 'tx':
      return ({ tally }) => tally.packetBytesSent
    case 'rxpkts':
      return ({ tally }) => tally.packetsReceived
    case 'txpkts':
      return ({ tally }) => tally.packetsSent
    case 'held':
      return ({ tally }) => Math.round(tally.heldBackMs)
  }
}

type Place = Pick<Candidate, 'value' | 'connNum'>

function orderOf({ isDescending }: ClientsQuery): (a: Place, b: Place) => number {
  const sign = isDescending ? -1 : 1
  return (a, b) => sign * (compare(a.value, b.value) || a.connNum - b.connNum)
}

function isBehind({ after, isDescending }: ClientsQuery, { value, connNum }: Place): boolean {
  if (after === undefined) return true
  const difference = compare(value, after.value) || (after.connNum === undefined ? 0 : connNum - after.connNum)
  return (isDescending ? -difference : difference) > 0
}

function compare(a: SortValue, b: SortValue): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
