/** `/debug/clients/`: who is connected, a page at a time, as HTML or JSON (P-189). */

import type { ClientDetails } from '../../status/client-details.ts'
import type { ClientsPage, ClientsQuery, ClientsSort } from '../../status/clients-query.ts'
import { COUNTERS, clientsLink, describeQuery, SORTS, sortParameter } from './clients-request.ts'
import { escapeHtml, htmlPage } from './html.ts'

/** Connections and keys of the relay. */
export interface ClientCounts {
  readonly conns: number
  readonly keys: number
  /** Connections that wait for their share of the rate of all clients; undefined unless any ever did. */
  readonly heldBack: number | undefined
}

export function clientsJson(query: ClientsQuery, page: ClientsPage): string {
  const { conns, keys, remaining, clients } = page
  const next = nextLink(query, page, 'json')
  const body = {
    query: describeQuery(query),
    conns,
    keys,
    remaining,
    ...(next !== undefined && { next }),
    clients: clients.map(({ details }) => details),
  }
  return `${JSON.stringify(body, undefined, '\t')}\n`
}

export function clientsHtml(query: ClientsQuery, page: ClientsPage): string {
  const next = nextLink(query, page, 'html')
  const more = next === undefined ? '' : ` ${link(next, 'Next page')} (${page.remaining} more)`
  const shown = `Showing ${page.clients.length} of ${page.conns} matching connections (${page.keys} node keys).${more}`
  const rows = page.clients.map(({ details }) => `<tr>${cellsOf(details).join('')}</tr>`)
  return htmlPage(
    `DERP clients: ${describeQuery(query)}`,
    `<p>${link('./', 'index')}</p>
<p>${shown}</p>
<table border="1">
<tr>${COLUMNS.map(column => headOf(query, column)).join('')}</tr>
${rows.join('\n')}
</table>`,
  )
}

const LONGEST_HELD = '?all=1&sort=-held'

/** The form of the query. */
export function clientsIndexHtml({ conns, keys, heldBack }: ClientCounts): string {
  const form = (label: string, name: string, example: string) =>
    `<li><form>${label}: <input name="${name}" size="${example.length + 4}" placeholder="${example}"> <button>Go</button></form></li>`
  const held =
    heldBack === undefined
      ? ''
      : `<p>${heldBack} connections are held back by -total-rate now: ${link(LONGEST_HELD, 'who, the longest first')}.</p>\n`
  return htmlPage(
    'DERP clients',
    `<p>${conns} connections for ${keys} node keys.</p>
${held}<ul>
<li><form><button name="all" value="1">List all clients</button></form></li>
${form('By IP address', 'ip', '192.0.2.1')}
${form('By CIDR', 'cidr', '192.0.2.0/24')}
${form('By node key', 'key', `nodekey:${'0'.repeat(64)}`)}
${form('By app name', 'app', 'my-app')}
</ul>
<p>Also app=NAME, repeatable, with any of them; sort=${SORTS.join('|')}, with - in front for descending; limit=N;
after=X, a value of what is sorted by (for connected a duration, or Unix nanoseconds); format=json.</p>`,
  )
}

interface Column {
  readonly title: string
  readonly sort?: ClientsSort
  /** HTML. */
  readonly cell: (client: ClientDetails) => string
}

const COLUMNS: readonly Column[] = [
  { title: 'conn#', sort: 'conn', cell: ({ connNum }) => String(connNum) },
  { title: 'node key', sort: 'key', cell: ({ key }) => link(`?${new URLSearchParams({ key })}`, key) },
  { title: 'remote', sort: 'ip', cell: ({ remote }) => remoteCell(remote) },
  { title: 'connected', sort: 'connected', cell: ({ connectedAt }) => connectedAt },
  { title: 'flags', cell: flagsOf },
  { title: 'ver', cell: ({ version }) => String(version) },
  { title: 'app', cell: ({ appName: app }) => (app === '' ? '' : link(`?${new URLSearchParams({ app })}`, app)) },
  { title: 'rx pkts', sort: 'rxpkts', cell: ({ rxPkts }) => String(rxPkts) },
  { title: 'rx bytes', sort: 'rx', cell: ({ rxBytes }) => String(rxBytes) },
  { title: 'tx pkts', sort: 'txpkts', cell: ({ txPkts }) => String(txPkts) },
  { title: 'tx bytes', sort: 'tx', cell: ({ txBytes }) => String(txBytes) },
  { title: 'senders', cell: ({ senders }) => String(senders) },
  { title: 'queued', cell: ({ queuedPackets }) => String(queuedPackets) },
  { title: 'pending', cell: ({ pendingBytes }) => String(pendingBytes) },
  { title: 'held back', sort: 'held', cell: ({ heldBackMs }) => formatHeldBack(heldBackMs) },
]

function formatHeldBack(ms: number): string {
  return ms === 0 ? '' : `${(ms / 1_000).toFixed(1)} s`
}

function cellsOf(client: ClientDetails): string[] {
  return COLUMNS.map(({ cell }) => `<td>${cell(client)}</td>`)
}

/** Another click reverses the order. */
function headOf(query: ClientsQuery, { title, sort }: Column): string {
  if (sort === undefined) return `<th>${title}</th>`
  const isCurrent = sort === query.sort
  const isDescending = isCurrent ? !query.isDescending : COUNTERS.has(sort)
  const href = clientsLink(query, { sort: sortParameter({ sort, isDescending }), format: 'html' })
  const arrow = isCurrent ? (query.isDescending ? ' ▼' : ' ▲') : ''
  return `<th>${link(href, title)}${arrow}</th>`
}

function nextLink(
  query: ClientsQuery,
  { remaining, clients }: ClientsPage,
  format: 'html' | 'json',
): string | undefined {
  return remaining === 0
    ? undefined
    : clientsLink(query, { sort: sortParameter(query), behind: clients.at(-1), format })
}

function remoteCell(remote: string): string {
  const [, bracketed, plain] = /^(?:\[(.+)\]|(.+)):\d+$/.exec(remote) ?? []
  const ip = bracketed ?? plain
  return ip === undefined ? '' : link(`?${new URLSearchParams({ ip })}`, remote)
}

function flagsOf({ home, meshPeer, prober, notIdeal, dup, active }: ClientDetails): string {
  const flags = [
    home && 'home',
    meshPeer && 'mesh',
    prober && 'prober',
    notIdeal && 'notideal',
    dup && (active ? 'dup-active' : 'dup'),
  ]
  return flags.filter(flag => flag !== false).join(' ')
}

function link(href: string, text: string): string {
  return `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`
}
