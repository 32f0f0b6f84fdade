/**
 * The table of connected clients, sorted and filtered here, so that a page with ten thousand loads only the visible
 * rows.
 *
 * All viewers share one snapshot per second.
 */

import type { Clock } from '../../lib/clock.ts'
import type { ClientDetails } from '../../status/client-details.ts'
import { type ClientsQuery, sortableAddress } from '../../status/clients-query.ts'
import type { DebugSource } from '../../status/relay-view.ts'
import type { ClientColumn, ClientRow, ClientRows } from './status-report.ts'

/** Milliseconds for which a snapshot is used. */
const LOOK_MS = 1_000
/** Milliseconds after which a snapshot is too old for a rate. */
const STALE_MS = 60_000
const ALL: ClientsQuery = {
  filter: { kind: 'all' },
  apps: undefined,
  sort: 'conn',
  isDescending: false,
  limit: Number.MAX_SAFE_INTEGER,
  after: undefined,
}
/** Sorted views kept per snapshot: viewers that scroll request the same one repeatedly. */
const MAX_ORDERS = 16
const NANOSECONDS_PER_SECOND = 1_000_000_000
const MS_PER_SECOND = 1_000
const NONE: Totals = { bytes: 0, heldBackMs: 0 }

export interface ClientQuery {
  readonly sort: ClientColumn
  readonly descending: boolean
  /** Text that key, address, application or flags hold, in any case; empty for all. */
  readonly filter: string
  readonly offset: number
  readonly limit: number
}

/** Totals of a connection that are shown as rates. */
interface Totals {
  readonly bytes: number
  readonly heldBackMs: number
}

interface Look {
  readonly atMs: number
  readonly rows: readonly ClientRow[]
  readonly totals: ReadonlyMap<number, Totals>
  /** Sorted views of the snapshot, by filter and order. */
  readonly orders: Map<string, readonly ClientRow[]>
}

/** The sort key of a column. */
const KEYS: Readonly<Record<ClientColumn, (row: ClientRow) => string | number>> = {
  key: ({ key }) => key,
  address: ({ address }) => sortableText(address),
  age: ({ ageSeconds }) => ageSeconds,
  received: ({ received }) => received,
  sent: ({ sent }) => sent,
  rate: ({ rate }) => rate,
  queued: ({ queued }) => queued,
  rtt: ({ rtt }) => rtt ?? -1,
  app: ({ app }) => app,
}

export class ClientTable {
  readonly #source: Pick<DebugSource, 'clients'>
  readonly #clock: Clock
  #look: Look | undefined
  #looking: Promise<Look> | undefined

  constructor(source: Pick<DebugSource, 'clients'>, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  async rows(query: ClientQuery): Promise<ClientRows> {
    const look = await this.#latest()
    const { offset, limit } = query
    const ordered = orderedRows(look, query)
    const { length: total } = look.rows
    return { total, matching: ordered.length, offset, rows: ordered.slice(offset, offset + limit) }
  }

  async #latest(): Promise<Look> {
    if (this.#look !== undefined && this.#clock.now() - this.#look.atMs < LOOK_MS) return this.#look
    this.#looking ??= this.#lookAgain().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookAgain(): Promise<Look> {
    const before = this.#look
    const { clients } = await this.#source.clients(ALL)
    const atMs = this.#clock.now()
    const seconds = before === undefined || atMs - before.atMs > STALE_MS ? undefined : (atMs - before.atMs) / 1_000
    const totals = new Map(clients.map(({ details }) => [details.connNum, totalsOf(details)]))
    const rows = clients.map(({ details }) => {
      const total = totalsOf(details)
      const last = seconds === undefined ? undefined : before?.totals.get(details.connNum)
      // For a new client only the average is known.
      const [since, passed] =
        last === undefined || seconds === undefined
          ? [NONE, Math.max(1, details.connected / NANOSECONDS_PER_SECOND)]
          : [last, seconds]
      const rate = (total.bytes - since.bytes) / passed
      return rowOf(details, rate, (total.heldBackMs - since.heldBackMs) / (passed * MS_PER_SECOND))
    })
    this.#look = { atMs, rows, totals, orders: new Map() }
    return this.#look
  }
}

function totalsOf({ rxBytes, txBytes, heldBackMs }: ClientDetails): Totals {
  return { bytes: rxBytes + txBytes, heldBackMs }
}

/** The rows that match, in order. */
function orderedRows({ rows, orders }: Look, { sort, descending, filter }: ClientQuery): readonly ClientRow[] {
  const wanted = filter.toLowerCase()
  const name = `${sort} ${descending} ${wanted}`
  const known = orders.get(name)
  if (known !== undefined) return known
  const matching = wanted === '' ? rows : rows.filter(row => textOf(row).includes(wanted))
  const ordered = sortRows(matching, KEYS[sort], descending)
  if (orders.size < MAX_ORDERS) orders.set(name, ordered)
  return ordered
}

/** @param heldBack the part of the time for which its packets waited for its share of the rate of all clients. */
function rowOf(details: ClientDetails, rate: number, heldBack: number): ClientRow {
  return {
    connNum: details.connNum,
    key: details.key,
    address: details.remote,
    ageSeconds: details.connected / NANOSECONDS_PER_SECOND,
    received: details.rxBytes,
    sent: details.txBytes,
    rate,
    queued: details.queuedPackets,
    rtt: details.roundTripMs ?? null,
    app: details.appName,
    flags: flagsOf(details, heldBack),
  }
}

function flagsOf({ home, meshPeer, prober, notIdeal, dup }: ClientDetails, heldBack: number): string {
  const percent = Math.min(100, Math.round(heldBack * 100))
  const flags = {
    home,
    mesh: meshPeer,
    prober,
    'not ideal': notIdeal,
    duplicate: dup,
    [`held back ${percent} %`]: percent > 0,
  }
  return Object.entries(flags)
    .filter(([, isSet]) => isSet)
    .map(([name]) => name)
    .join(' · ')
}

/** Address and port as text that sorts by number; empty for an unknown one. */
function sortableText(address: string): string {
  const [, host = '', port = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(address) ?? []
  return host === '' ? '' : sortableAddress(host, Number(port))
}

function textOf({ key, address, app, flags }: ClientRow): string {
  return `${key} ${address} ${app} ${flags}`.toLowerCase()
}

/** Rows that compare equal stay in the order of their logins. */
function sortRows(
  rows: readonly ClientRow[],
  keyOf: (row: ClientRow) => string | number,
  descending: boolean,
): readonly ClientRow[] {
  const sign = descending ? -1 : 1
  return rows
    .map(row => ({ row, key: keyOf(row) }))
    .sort((a, b) => {
      if (a.key === b.key) return 0
      return a.key < b.key ? -sign : sign
    })
    .map(({ row }) => row)
}
