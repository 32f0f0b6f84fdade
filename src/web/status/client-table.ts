/**
 * The table of connected clients: sorted and filtered here, so that a page of ten thousand holds those in sight only.
 *
 * All viewers share one look at the relay per second.
 */

import type { Clock } from '../../lib/clock.ts'
import type { ClientDetails } from '../../status/client-details.ts'
import { type ClientsQuery, sortableAddress } from '../../status/clients-query.ts'
import type { DebugSource } from '../../status/relay-view.ts'
import type { ClientColumn, ClientRow, ClientRows } from './status-report.ts'

/** Milliseconds for which a look serves. */
const LOOK_MS = 1_000
/** Milliseconds after which a look is too old for a rate. */
const STALE_MS = 60_000
const ALL: ClientsQuery = {
  filter: { kind: 'all' },
  apps: undefined,
  sort: 'conn',
  isDescending: false,
  limit: Number.MAX_SAFE_INTEGER,
  after: undefined,
}
const NANOSECONDS_PER_SECOND = 1_000_000_000

export interface ClientQuery {
  readonly sort: ClientColumn
  readonly descending: boolean
  /** Text that key, address, application or flags hold, in any case; empty for all. */
  readonly filter: string
  readonly offset: number
  readonly limit: number
}

interface Look {
  readonly atMs: number
  readonly rows: readonly ClientRow[]
  /** Bytes of each connection. */
  readonly bytes: ReadonlyMap<number, number>
}

/** What a column is sorted by. */
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

  async rows({ sort, descending, filter, offset, limit }: ClientQuery): Promise<ClientRows> {
    const { rows } = await this.#latest()
    const wanted = filter.toLowerCase()
    const matching = wanted === '' ? rows : rows.filter(row => textOf(row).includes(wanted))
    const sorted = sortRows(matching, KEYS[sort], descending)
    return { total: rows.length, matching: matching.length, offset, rows: sorted.slice(offset, offset + limit) }
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
    const bytes = new Map(clients.map(({ details }) => [details.connNum, details.rxBytes + details.txBytes]))
    const rows = clients.map(({ details }) => {
      const total = details.rxBytes + details.txBytes
      const last = seconds === undefined ? undefined : before?.bytes.get(details.connNum)
      // All that is known of a new client is its average.
      const rate =
        last === undefined || seconds === undefined
          ? total / Math.max(1, details.connected / NANOSECONDS_PER_SECOND)
          : (total - last) / seconds
      return rowOf(details, rate)
    })
    this.#look = { atMs, rows, bytes }
    return this.#look
  }
}

function rowOf(details: ClientDetails, rate: number): ClientRow {
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
    flags: flagsOf(details),
  }
}

function flagsOf({ home, meshPeer, prober, notIdeal, dup }: ClientDetails): string {
  const flags = { home, mesh: meshPeer, prober, 'not ideal': notIdeal, duplicate: dup }
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
